"""A task file for tests, and the robot that it names."""

from __future__ import annotations

from pathlib import Path

from sac_control.tasks.file_task import FileTask
from sac_control.tasks.task_file import read_task

GOOD = """\
task: arm_up
robot: arm.urdf
engine: mujoco
control_period: 0.01
physics_period: 0.002
joints: [arm, left/pole-1 a]
actuators: {arm: {interface: effort, limit: 0.05}}
observation: [sin(arm), cos(arm), position('left/pole-1 a'), velocity(arm), velocity('left/pole-1 a'), action(arm)@1]
reward: 1 - 0.1*arm^2 - 0.5*(action(arm) - action(arm)@1)^2
terminated: abs(arm) > 0.5 or abs('left/pole-1 a') > 2
starts: [{arm: [-0.2, 0.4], "velocity('left/pole-1 a')": 0.1 +- 0.3}]
episode: 100
solved_return: 95
mirror: false
"""


def task_of(tmp_path: Path, text: str = GOOD) -> FileTask:
    path = tmp_path / "arm.yaml"
    path.write_text(text)
    return read_task(path)


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


_INERTIAL = '<inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>'
ROBOT = f"""\
<robot name="arm"><link name="base"/><link name="upper">{_INERTIAL}</link><link name="lower">{_INERTIAL}</link>
<joint name="left/pole-1 a" type="continuous"><parent link="base"/><child link="upper"/><axis xyz="0 1 0"/></joint>
<joint name="arm" type="continuous"><parent link="upper"/><child link="lower"/><axis xyz="0 0 1"/></joint></robot>
"""
