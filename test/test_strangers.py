"""Robots that this package has never seen, as a user's own files: trained through the three nodes and deployed.

test_your_robot_guide.py does so with the rotary pendulum, by the words of docs/your_robot.md.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stand_in import Deployment
from test_end_to_end import sac_control

pytest.importorskip("mujoco")
ROBOTS = Path(__file__).parent / "robots"


def trained(folder: Path, task: Path, seed: int, steps: int) -> Path:
    """The run of a training with default settings, but until solved, that solved `task` within so many transitions."""
    words = ["--run", "stranger", "--seed", str(seed), "--max-steps", str(steps), "--until", "solved"]
    words += ["--require-solved", "--no-video"]
    done = sac_control(folder, "train", "--task", str(task), *words)
    assert done.returncode == 0, done.stdout + done.stderr
    run = folder / "runs" / "stranger"
    assert json.loads((run / "summary.json").read_text())["solved"] is True
    return run


@pytest.mark.parametrize(
    ("name", "seed", "steps", "interface", "lean"),
    [
        pytest.param(
            "velocity_cart",
            2,
            5_000,
            "velocity",
            {"pole hinge": 0.3},
            id="cart driven by velocity",
            marks=pytest.mark.long,  # the guide's robot, which test_your_robot_guide.py trains and deploys, is not
        ),
        pytest.param(
            "acrobot_balance",
            0,
            10_000,
            "effort",
            {"shoulder": 0.4, "elbow": 1.0},
            id="acrobot by MJCF",
            marks=pytest.mark.long,
        ),
    ],
)
def test_robot_of_a_stranger_is_trained_to_its_level_deployed_held_and_stopped(
    name: str, seed: int, steps: int, interface: str, lean: dict[str, float], tmp_path: Path
) -> None:
    task = ROBOTS / f"{name}.yaml"
    run = trained(tmp_path, task, seed, steps)
    controller = f"{interface}_controller"
    simulator = ["--ros-args", "-p", f"task:={task}", "-p", "mode:=realtime"]
    simulator += ["-r", f"effort_controller/commands:={controller}/commands"]
    with Deployment(tmp_path, simulator=simulator, deploy=["deploy", str(run)], controller=controller) as robot:
        robot.arm()
        robot.holds(100, lambda positions: all(abs(positions[joint]) < most for joint, most in lean.items()))
        robot.stop()
