"""A world and a task of a package outside of the repository are found by their names; broken ones are told in words."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

PYPROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "their-lab"
version = "1.0"
[tool.setuptools]
py-modules = ["their_world", "their_task", "their_faults"]
[project.entry-points."sac_control.worlds"]
springs = "their_world:Springs"
unfinished = "their_faults:Unfinished"
number = "their_faults:NUMBER"
nowhere = "their_world:Nowhere"
needing = "their_faults_needing:World"
[project.entry-points."sac_control.tasks"]
reach = "their_task:Reach"
half_a_task = "their_faults:HalfATask"
bare_task = "their_faults:BareTask"
no_task = "their_faults:no_task"
nowhere_task = "their_nowhere:Task"
"""
WORLD = '''
"""Unit masses, each on a damped spring: needs no engine at all."""
import numpy as np
from sac_control.worlds.world import World


class Springs(World):
    def _reset(self, state):
        self.position, self.velocity = list(map(float, state[0::2])), list(map(float, state[1::2]))
        self.effort = [0.0] * len(self.position)

    def _step(self, command, substeps):
        effort = dict(zip((drive.joint for drive in self.robot.drives), command))
        self.effort = [effort.get(joint, 0.0) for joint in self.robot.joints]
        for _ in range(substeps):
            h = self.robot.physics_period
            forces = [e - x - v for e, x, v in zip(self.effort, self.position, self.velocity)]
            self.velocity = [v + h * f for v, f in zip(self.velocity, forces)]
            self.position = [x + h * v for x, v in zip(self.position, self.velocity)]

    def render(self, width=640, height=480):
        return np.full((height, width, 3), 127 + int(100 * np.tanh(self.position[0])), np.uint8)

    def close(self):
        pass

    def _save(self):
        return np.array([self.position, self.velocity, self.effort]).tobytes()

    def _load(self, state):
        self.position, self.velocity, self.effort = np.frombuffer(state).reshape(3, -1).tolist()
'''
TASK = '''
from pathlib import Path
import numpy as np
from sac_control import robots
from sac_control.robots.robot import Drive, Robot
from sac_control.tasks.robot_task import RobotTask
from sac_control.types import Specification


class Reach(RobotTask):
    """The cart is to stand at 0.5 m."""

    specification = Specification(
        task="reach", joints=("slider_to_cart",), actuated_joints=("slider_to_cart",), command_limit=(2.0,),
        observation=("position(slider_to_cart)", "velocity(slider_to_cart)"), control_period=0.05)
    engine = "springs"
    max_episode_steps = 40
    solved_return = 30.0
    start_dimensions = 1

    def robot(self, engine):
        description = Path(robots.__file__).parent / "cart_pole.urdf"
        drive = Drive(joint="slider_to_cart", limit=2.0)
        return Robot(description=description, joints=self.specification.joints, drives=(drive,),
                     control_period=0.05, physics_period=0.01)

    def start_from(self, unit):
        return np.array([unit[0] - 0.5, 0.0])

    def reward(self, rows):
        return 1.0 - abs(rows[0][0] - 0.5)

    def is_terminated(self, rows):
        return abs(rows[0][0]) > 5.0
'''
FAULTS = """
from sac_control.tasks.robot_task import RobotTask
from sac_control.worlds.world import World

NUMBER = 7


class Unfinished(World):
    def _reset(self, state): ...
    def _step(self, command, substeps): ...


class HalfATask(RobotTask):
    def reward(self, rows):
        return 0.0


class BareTask(RobotTask):
    def robot(self, engine): ...
    def start_from(self, unit): ...
    def reward(self, rows): ...
    def is_terminated(self, rows): ...


def no_task():
    return "a task"
"""
TRY = """
import sys
from sac_control.errors import ConfigError
from sac_control.envs import make_env
from sac_control.tasks.catalogue import make_task
from sac_control.worlds.catalogue import make_world

for task, engine in [word.split(":") for word in sys.argv[1:]]:
    try:
        make_world(engine, make_task(task).robot(engine))
    except ConfigError as error:
        print(error)
    else:
        print("made")
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs Python, with the package of the others installed, in a folder of its own."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("target")
    files = {"pyproject.toml": PYPROJECT, "their_world.py": WORLD, "their_task.py": TASK, "their_faults.py": FAULTS}
    for name, text in files.items():
        (source / name).write_text(text)
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--no-build-isolation", "--no-deps", "--no-index"]
    options = ["--disable-pip-version-check", "--target", str(target), str(source)]
    done = subprocess.run([*pip, *options], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(filter(None, [str(target), os.environ.get("PYTHONPATH", "")]))
        command, environment = [sys.executable, *words], {**os.environ, "PYTHONPATH": path}
        return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=source, env=environment)

    return run


def test_task_and_world_of_another_package_are_found_by_name_and_run_an_episode(run: Run, tmp_path: Path) -> None:
    picture = tmp_path / "reach.png"
    done = run("-m", "sac_control", "check-task", "reach", "--picture", str(picture))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "reach: cart_pole.urdf by springs" in done.stdout
    assert "next: sac_control train --task reach" in done.stdout
    assert picture.stat().st_size > 100
    done = run("-m", "sac_control", "check-task", "inverted_pendulum", "--engine", "springs", "--picture", str(picture))
    assert "inverted_pendulum: cart_pole.urdf by springs" in done.stdout, done.stderr


COMPLAINTS = {  # task and engine: what is said
    "reach:springs": "made",
    "reach:mujoco": "made",
    "reech:springs": "task 'reech' is not known; did you mean reach?; a task of your own is a file",
    "reach:sprins": "engine 'sprins' is not known; did you mean springs?",
    "reach:unfinished": "engine 'unfinished' of the package their-lab is <class 'their_faults.Unfinished'>: expected a "
    "class that derives from sac_control.worlds.world.World; it lacks _load, _save, close, render",
    "reach:number": "engine 'number' of the package their-lab is 7: expected a class that derives from",
    "reach:nowhere": "engine 'nowhere' of the package their-lab cannot be loaded: module 'their_world' has no",
    "reach:needing": "engine needing needs the package 'their_faults_needing', which is not installed: pip install",
    "half_a_task:springs": "task 'half_a_task' of the package their-lab is <class 'their_faults.HalfATask'>: "
    "expected a sac_control.tasks.robot_task.RobotTask; it lacks is_terminated, robot, start_from",
    "bare_task:springs": "specification, engine, max_episode_steps, solved_return, start_dimensions",
    "no_task:springs": "task 'no_task' of the package their-lab is 'a task': expected a "
    "sac_control.tasks.robot_task.RobotTask",
    "nowhere_task:springs": "task 'nowhere_task' of the package their-lab cannot be loaded: No module named",
}


def test_what_is_broken_or_unknown_is_told_in_one_sentence(run: Run) -> None:
    done = run("-c", TRY, *COMPLAINTS)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert len(said) == len(COMPLAINTS)
    for complaint, line in zip(COMPLAINTS.values(), said, strict=True):
        assert complaint in line
