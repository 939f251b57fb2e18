"""check-task finds the usual mistakes, each in one sentence with its remedy, and none where there is none."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from sac_control.cli.main import main
from sac_control.envs.check.finding import Level
from sac_control.envs.check.task_check import TaskCheck, check_task
from sac_control.store.png import png
from sac_control.tasks.catalogue import TASKS
from sac_control.tasks.task_file import read_task

pytest.importorskip("mujoco")
ROBOTS = Path(__file__).parent / "robots"
FURUTA, CART = "furuta_balance", "velocity_cart"
ROD = 'ixx="0.0000333" ixy="0" ixz="0" iyy="0.0000333" iyz="0" izz="0.0000003"'
FALLS = "terminated: abs(pendulum) > 0.5 or abs(arm) > 2"
Edits = Sequence[tuple[str, str]]


def replaced(text: str, edits: Edits) -> str:
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return text


def written(folder: Path, name: str, task: Edits = (), robot: Edits = ()) -> Path:
    """A stranger's task with its robot in `folder`, with what its author did to both files."""
    text = (ROBOTS / f"{name}.yaml").read_text()
    description = re.search(r"^robot: (\S+)", text, re.MULTILINE)
    assert description is not None
    (folder / description[1]).write_text(replaced((ROBOTS / description[1]).read_text(), robot))
    file = folder / "task.yaml"
    file.write_text(replaced(text, task))
    return file


def checked(folder: Path, name: str = FURUTA, task: Edits = (), robot: Edits = ()) -> TaskCheck:
    return check_task(read_task(written(folder, name, task, robot)))


@pytest.mark.parametrize("path", sorted(ROBOTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_nothing_is_found_in_the_tasks_of_strangers(path: Path) -> None:
    found = check_task(read_task(path))
    assert not found.findings
    assert found.trial is not None
    assert len(found.trial.episodes) == 3
    assert found.picture is not None
    assert np.ptp(found.picture[:, :, 0]) > 50, "the robot is not in its picture"


@pytest.mark.parametrize("name", TASKS)
def test_no_error_is_found_in_the_built_in_tasks_by_mujoco(name: str) -> None:
    assert not check_task(TASKS[name], engine="mujoco", episodes=1).findings


@pytest.mark.parametrize(
    ("level", "sentence", "task", "robot"),
    [
        pytest.param(
            Level.ERROR, "starts put joint 'pendulum' at up to 10 rad, more than a turn: if 10 are degrees, write",
            [("pendulum: [-0.1, 0.1]", "pendulum: [-10, 10]")], [], id="degrees in starts",
        ),
        pytest.param(
            Level.ERROR, "terminated compares joint 'pendulum' with 30 rad, more than a turn: if 30 are degrees, write",
            [("abs(pendulum) > 0.5", "abs(pendulum) > 30")], [], id="degrees in terminated",
        ),
        pytest.param(
            Level.ERROR, "joint 'arm' in furuta.urdf ends at 137 rad, more than a turn: if 137 are degrees",
            [], [('lower="-2.4" upper="2.4"', 'lower="-137" upper="137"')], id="degrees in limits",
        ),
        pytest.param(
            Level.ERROR, "actuators.arm: position commands of up to 90 rad are more than a turn: if 90",
            [("effort, limit: 0.05", "position, limit: 90")], [], id="degrees of a position drive",
        ),
        pytest.param(
            Level.WARNING, "driven joint 'arm' has no limit of effort in furuta.urdf: ",
            [], [('effort="0.05"', 'effort="0"'), ('name="min"', 'name="a"')], id="driven joint without limit",
        ),
        pytest.param(
            Level.ERROR, "actuators.arm: 5 is more than the effort of 0.05 that furuta.urdf allows",
            [("limit: 0.05", "limit: 5")], [], id="limit beyond the drive's",
        ),
        pytest.param(
            Level.WARNING, "actuators.arm has the interface velocity, and furuta.urdf offers effort",
            [("effort, limit: 0.05", "velocity, limit: 5")], [], id="interface that is not there",
        ),
        pytest.param(
            Level.ERROR, "inertia of link 'pendulum_link' in furuta.urdf is zero",
            [], [(ROD, ROD.replace("333", "").replace("0.0000003", "0").replace("0.0000", "0"))], id="zero inertia",
        ),
        pytest.param(
            Level.ERROR, "inertia of link 'pendulum_link' in furuta.urdf is that of 0.024 kg at 37.1 m from its axis",
            [], [(ROD, 'ixx="33" ixy="0" ixz="0" iyy="33" iyz="0" izz="0.3"')], id="inertia in g mm2",
        ),
        pytest.param(
            Level.ERROR, "has the principal moments 3.33e-05, 3.33e-05, 0.003 kg m²: no body has them",
            [], [('izz="0.0000003"', 'izz="0.003"')], id="impossible inertia",
        ),
        pytest.param(
            Level.ERROR, "link 'pendulum_link' in furuta.urdf, which joint 'pendulum' moves, has the mass 0: give",
            [], [('<mass value="0.024"/>', '<mass value="0"/>')], id="no mass",
        ),
        pytest.param(
            Level.ERROR, "joint 'base' in furuta.urdf is floating: no joint state describes it, so fix the base",
            [],
            [(
                '<link name="housing">',
                '<link name="world"/><joint name="base" type="floating"><parent link="world"/><child link="housing"/>'
                '</joint><link name="housing"><inertial><mass value="1"/>'
                '<inertia ixx="1" ixy="0" ixz="0" iyy="1" iyz="0" izz="1"/></inertial>',
            )],
            id="floating base",
        ),
        pytest.param(
            Level.ERROR, "reward is 1 in each of 3000 control periods of random actions, and no episode ended early",
            [("1 - 0.1*arm^2", "1"), (FALLS, "terminated: 0")], [], id="constant reward",
        ),
        pytest.param(
            Level.ERROR, "reward is nan in state", [("1 - 0.1*arm^2", "sqrt(pendulum)")], [], id="reward not finite"
        ),
        pytest.param(
            Level.ERROR, "a random episode earns", [("return: 950", "return: 5")], [], id="solved by chance"
        ),
        pytest.param(
            Level.ERROR, "all of the starts are terminated already, such as arm at -0.5, pendulum at 3.04",
            [("pendulum: [-0.1, 0.1]", "pendulum: 3.14 +- 0.1")], [], id="terminated starts",
        ),
        pytest.param(
            Level.ERROR, "of the starts are terminated after one control period without",
            [("abs(pendulum) > 0.5", "abs(velocity(pendulum)) > 0.0001")], [], id="starts that end at once",
        ),
        pytest.param(
            Level.ERROR, "starts put joint 'arm' from -2.5 to 0.5, and it moves from -2.4 to 2.4 alone",
            [("arm: [-0.5, 0.5]", "arm: [-2.5, 0.5]")], [], id="starts beyond the end",
        ),
        pytest.param(
            Level.ERROR, "mirror is true, but reward is", [("arm^2", "(arm - 0.3)^2")], [], id="reward on one side"
        ),
        pytest.param(
            Level.ERROR, "mirror is true, but terminated is true on one side alone",
            [("abs(arm) > 2", "arm > 2")], [], id="failure on one side",
        ),
        pytest.param(
            Level.ERROR, "mirror is true, but the robot does not move alike: after one control period ",
            [], [('<origin xyz="0 0 0.13"/>', '<origin xyz="0 0 0.13" rpy="0.3 0 0"/>')], id="tilted robot",
        ),
        pytest.param(
            Level.HINT, "with mirror: true it learns faster", [("mirror: true", "mirror: false")], [], id="no mirror"
        ),
        pytest.param(
            Level.WARNING, "observation position(pendulum) counts whole turns of joint 'pendulum', which is under",
            [("sin(pendulum), cos(pendulum)", "position(pendulum)")], [], id="continuous joint unwrapped",
        ),
        pytest.param(
            Level.WARNING, "observation position(pendulum) counts whole turns of joint 'pendulum', which turns",
            [("sin(pendulum), cos(pendulum)", "position(pendulum)"), ("continuous: [pendulum]", "")], [],
            id="joint unwrapped that the description has as continuous",
        ),
        pytest.param(
            Level.WARNING, "joint 'pendulum' in furuta.urdf moves, and the task leaves it out",
            [
                ("joints: [arm, pendulum]", "joints: [arm]"), (FALLS, "terminated: abs(arm) > 2"),
                ("sin(pendulum), cos(pendulum), ", ""), (", velocity(pendulum)", ""), (", pendulum: [-0.1, 0.1]", ""),
                ("continuous: [pendulum]", ""), ("{pendulum: [0, 0.003], ", "{"), ("{pendulum: [0, 0.002], ", "{"),
                ("abs(pendulum) < 0.2 and ", ""),
            ],
            [], id="joint left out",
        ),
    ],
)  # fmt: skip
def test_mistake_is_found(level: Level, sentence: str, task: Edits, robot: Edits, tmp_path: Path) -> None:
    found = checked(tmp_path, FURUTA, task, robot)
    matching = [finding for finding in found.findings if sentence in finding.sentence]
    assert [finding.level for finding in matching] == [level], list(map(str, found.findings))
    assert all("\n" not in finding.sentence for finding in found.findings)
    assert found.has_errors == any(finding.level == Level.ERROR for finding in found.findings)


def test_velocity_beyond_the_joints_own_is_found(tmp_path: Path) -> None:
    found = checked(tmp_path, CART, [("limit: 2,", "limit: 5,")])
    assert "5 is more than the velocity of 2 that velocity_cart.urdf allows" in str(found.findings[0])


def test_robot_that_no_engine_loads_is_told_once(tmp_path: Path) -> None:
    found = checked(tmp_path, FURUTA, robot=[("</robot>", "</robt>")])
    (finding,) = found.findings
    assert "is not XML" in finding.sentence
    assert found.trial is None
    assert found.picture is None


def tell(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*words: str) -> tuple[int, str, str]:
        code = main(["check-task", *words])
        out, err = capfd.readouterr()
        return code, out, err

    return run


def test_command_prints_spaces_limits_and_episodes_and_saves_a_picture(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = tell(capfd)(str(ROBOTS / "velocity_cart.yaml"))
    assert (code, err) == (0, "")
    assert "velocity_cart: velocity_cart.urdf by mujoco" in out
    assert "control 0.02 s, physics 0.002 s; episodes of 500 (10 s)" in out
    assert re.search(r"^  velocity\('axis/x-1'\)  -?[\d.]+ to [\d.]+$", out, re.MULTILINE)
    assert "  axis/x-1  velocity ±2 m/s, by at most 60 N\n" in out
    assert len(re.findall(r"^  \d: \d+ periods, return [\d.]+, terminated$", out, re.MULTILINE)) == 3
    assert "picture: velocity_cart.png\n" in out
    assert (tmp_path / "velocity_cart.png").read_bytes().startswith(b"\x89PNG")


def test_command_ends_with_1_where_there_are_errors_and_0_where_there_are_warnings(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    picture = str(tmp_path / "p.png")
    wrong = written(tmp_path, FURUTA, [("limit: 0.05", "limit: 5")])
    code, _, err = tell(capfd)(str(wrong), "--episodes", "1", "--picture", picture)
    assert code == 1
    assert err.startswith("error: actuators.arm: 5 is more than")
    doubtful = written(tmp_path, FURUTA, [("sin(pendulum), cos(pendulum)", "position(pendulum)")])
    code, _, err = tell(capfd)(str(doubtful), "--episodes", "1", "--picture", picture)
    assert code == 0
    assert err.startswith("warning: observation position(pendulum)")


def test_png_holds_the_picture() -> None:
    image = pytest.importorskip("matplotlib.image")
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    read = image.imread(io.BytesIO(png(picture)))
    np.testing.assert_array_equal(np.round(read[:, :, :3] * 255).astype(np.uint8), picture)
