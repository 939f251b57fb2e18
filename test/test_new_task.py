"""new-task writes a task file that can be trained as it is, from whatever a robot description says of its joints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sac_control.cli.main import main
from sac_control.cli.options import TrainingOptions
from sac_control.cli.plan import plan_training
from sac_control.envs.check.finding import Level
from sac_control.envs.check.task_check import check_task
from sac_control.errors import ConfigError
from sac_control.tasks.file_task import FileTask
from sac_control.tasks.task_file import OPTIONAL, REQUIRED, read_task

pytest.importorskip("mujoco")
ROBOTS = Path(__file__).parent / "robots"
PACKAGE = Path(__file__).parent.parent / "sac_control"
LATER = {"gravity", "engines", "randomise", "exam"}  # what a first file does without


def first(robot: Path, folder: Path) -> FileTask:
    """The task that new-task writes for `robot`."""
    file = folder / "first.yaml"
    assert main(["new-task", str(robot), "-o", str(file)]) == 0
    return read_task(file)


def described(folder: Path, text: str, name: str = "robot.urdf") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def urdf(*joints: str, more: str = "") -> str:
    """A chain of links of 1 kg, one behind each of `joints`: attributes of <joint> and what is within."""
    inertial = '<inertial><mass value="1"/><inertia ixx="0.1" ixy="0" ixz="0" iyy="0.1" iyz="0" izz="0.1"/></inertial>'
    links = "".join(f'<link name="l{index}">{inertial}</link>' for index in range(len(joints) + 1))
    ends = [f'<parent link="l{index}"/><child link="l{index + 1}"/>' for index in range(len(joints))]
    chain = "".join(f"<joint {joint.format(end)}</joint>" for joint, end in zip(joints, ends, strict=True))
    return f'<robot name="r">{links}{chain}{more}</robot>'


TURNS = 'name="turns" type="continuous">{}<axis xyz="0 1 0"/>'
SLIDES = 'name="slides" type="prismatic">{}<axis xyz="1 0 0"/><limit lower="0.5" upper="1.5" effort="20" velocity="2"/>'
SWINGS = (
    'name="it&apos;s/a-b c" type="revolute">{}<axis xyz="0 1 0"/><limit lower="-1" upper="2" effort="3" velocity="4"/>'
)


@pytest.mark.parametrize(
    "robot",
    [*sorted([*ROBOTS.glob("*.urdf"), *ROBOTS.glob("*.xml")]), *sorted((PACKAGE / "robots").glob("*.urdf"))],
    ids=lambda robot: robot.name,
)
def test_first_task_of_any_robot_runs_and_holds_no_mistake(robot: Path, tmp_path: Path) -> None:
    task = first(robot, tmp_path)
    found = check_task(task, episodes=1)
    assert not [finding for finding in found.findings if finding.level > Level.HINT], list(map(str, found.findings))
    assert found.trial is not None
    assert (task.engine, task.specification.control_period) == ("mujoco", 0.01)
    assert task.content.settings.physics_period == 0.002


def test_every_key_that_a_first_task_needs_is_explained_and_nothing_is_longer_than_120(tmp_path: Path) -> None:
    first(described(tmp_path, (ROBOTS / "furuta.urdf").read_text()), tmp_path)
    lines = (tmp_path / "first.yaml").read_text().splitlines()
    for key in {*REQUIRED, *OPTIONAL} - LATER:
        (index,) = [index for index, line in enumerate(lines) if line.startswith(f"{key}:")]
        assert "# " in lines[index] or lines[index - 1].startswith("# "), key
    assert max(map(len, lines)) <= 120
    assert sum("TODO" in line for line in lines) >= 5


def test_drives_are_the_command_interfaces_then_the_transmissions_then_the_limits_of_effort(tmp_path: Path) -> None:
    by_limit = first(described(tmp_path, urdf(TURNS, SLIDES)), tmp_path)
    assert [(drive.joint, drive.interface, drive.limit) for drive in by_limit.content.drives] == [
        ("slides", "effort", 20)
    ]
    transmission = (
        '<transmission name="t"><joint name="{}"><hardwareInterface>hardware_interface/VelocityJointInterface'
        "</hardwareInterface></joint></transmission>"
    )
    (tmp_path / "first.yaml").unlink()
    by_transmission = first(described(tmp_path, urdf(SWINGS, SLIDES, more=transmission.format("slides"))), tmp_path)
    (drive,) = by_transmission.content.drives
    assert (drive.joint, drive.interface, drive.limit, drive.max_effort) == ("slides", "velocity", 2, 20)
    (tmp_path / "first.yaml").unlink()
    control = (
        '<ros2_control name="c" type="system"><joint name="slides"><command_interface name="position"/></joint>'
        "</ros2_control>"
    )
    by_control = first(
        described(tmp_path, urdf(SWINGS, SLIDES, more=control + transmission.format("slides"))), tmp_path
    )
    (drive,) = by_control.content.drives
    assert (drive.joint, drive.interface, drive.limit) == ("slides", "position", 1.5)


def test_names_that_need_quotes_and_ranges_without_zero_are_written_so_that_they_are_read(tmp_path: Path) -> None:
    task = first(described(tmp_path, urdf(TURNS, SLIDES, SWINGS)), tmp_path)
    name = "it's/a-b c"
    assert task.specification.joints == ("turns", "slides", name)
    assert f"position({chr(39)}it''s/a-b c{chr(39)})" in task.specification.observation
    assert "sin(turns)" in task.specification.observation
    assert task.continuous_joints == ("turns",)
    start = task.start_from(np.full(task.start_dimensions, 0.5))
    assert start[2] == pytest.approx(1.0), "a joint that moves from 0.5 to 1.5 does not begin at 0"


def test_actuators_of_an_mjcf_file_are_its_drives(tmp_path: Path) -> None:
    model = """<mujoco><worldbody><body>
      <joint name="a" axis="0 1 0" range="-90 90"/><geom size="0.1"/>
      <body pos="0 0 1"><joint name="b" axis="0 1 0"/><geom size="0.1"/>
      <body pos="0 0 1"><joint name="c" axis="0 1 0" actuatorfrcrange="-7 7"/><geom size="0.1"/></body></body></body>
    </worldbody><actuator>
      <position joint="a" kp="10" forcerange="-3 3"/><velocity joint="b" kv="1" ctrlrange="-5 5"/>
      <motor joint="c" gear="2" ctrlrange="-4 4"/>
    </actuator></mujoco>"""
    drives = {drive.joint: drive for drive in first(described(tmp_path, model, "m.xml"), tmp_path).content.drives}
    assert (drives["a"].interface, drives["a"].max_effort) == ("position", 3)
    assert drives["a"].limit == pytest.approx(1.5708, abs=1e-4), "MJCF has degrees, unless it says otherwise"
    assert (drives["b"].interface, drives["b"].limit) == ("velocity", 5)
    assert (drives["c"].interface, drives["c"].limit) == ("effort", 8)


def test_file_is_written_beside_the_robot_names_it_and_is_never_replaced_unless_asked(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    robot = described(tmp_path, (ROBOTS / "furuta.urdf").read_text(), "mine.urdf")
    assert main(["new-task", str(robot)]) == 0
    file = tmp_path / "mine.yaml"
    assert "robot: mine.urdf #" in file.read_text()
    file.write_text("edited for hours")
    assert main(["new-task", str(robot)]) == 2
    assert "exists already: choose another name with -o, or give --overwrite" in capfd.readouterr().err
    assert file.read_text() == "edited for hours"
    assert main(["new-task", str(robot), "--overwrite"]) == 0
    assert read_task(file).specification.task == "mine"


def test_packaged_robot_keeps_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AMENT_PREFIX_PATH", "")
    assert main(["new-task", "package://sac_control/robots/cart_pole.urdf"]) == 0
    assert "robot: package://sac_control/robots/cart_pole.urdf" in (tmp_path / "cart_pole.yaml").read_text()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (urdf(TURNS), "no joint of {} has a drive (known are turns): give the driven ones a <ros2_control> command"),
        (urdf('name="f" type="fixed">{}'), "{} has no joint that moves"),
        (urdf(SLIDES, 'name="base" type="floating">{}'), "joint 'base' in {} is floating"),
        (urdf(SLIDES).replace('effort="20"', 'effort="much"'), "effort of <limit> in {} is 'much': expected a number"),
        (urdf(SLIDES).replace("</robot>", ""), "robot description {} is not XML"),
        (urdf(SLIDES).replace('child link="l1"', 'child link="l0"'), "closes a loop"),
        ("<svg/>", "robot description {} begins with <svg>"),
    ],
)
def test_robot_for_which_there_is_no_task_is_refused_in_one_sentence_and_nothing_is_written(
    text: str, complaint: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    robot = described(tmp_path, text)
    assert main(["new-task", str(robot)]) == 2
    told = capfd.readouterr().err
    assert complaint.format(robot) in told
    assert told.count("\n") == 1
    assert list(tmp_path.iterdir()) == [robot]


def test_no_such_robot_and_no_such_suffix_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["new-task", str(tmp_path / "none.urdf")]) == 2
    assert "there is no robot description" in capfd.readouterr().err
    assert main(["new-task", str(ROBOTS / "furuta.urdf"), "-o", str(tmp_path / "task.txt")]) == 2
    assert "expected .yaml or .yml" in capfd.readouterr().err
    assert main(["new-task", str(ROBOTS / "furuta.urdf"), "-o", str(tmp_path / "no" / "task.yaml")]) == 2
    assert "cannot write" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["check-task", "furuta"], "task 'furuta' is not known; did you mean furuta.yaml?"),
        (
            ["check-task", "furuta.urdf"],
            "furuta.urdf is a robot description and no task: sac_control new-task furuta.urdf",
        ),
        (["new-task", "furuta.yaml"], "furuta.yaml is a task file already: expected a robot description"),
        (
            ["check-task", "furuta.yaml", "--picture", "x.jpg"],
            "--picture is x.jpg: pictures are PNG files, so expected x.png",
        ),
        (["check-task", "furuta.yaml", "--episodes", "0"], "--episodes is 0: expected at least 1"),
        (["check-task", "furuta.yaml", "--engine", "mujico"], "engine 'mujico' is not known; did you mean mujoco?"),
    ],
)
def test_file_or_option_that_is_another_is_told_in_one_sentence(
    words: list[str],
    complaint: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    described(tmp_path, (ROBOTS / "furuta.urdf").read_text(), "furuta.urdf")
    described(tmp_path, (ROBOTS / "furuta_balance.yaml").read_text(), "furuta.yaml")
    assert main(words) == 2
    told = capfd.readouterr().err
    assert complaint in told
    assert told.count("\n") == 1


def test_training_of_a_robot_that_cannot_be_loaded_is_refused_before_anything_starts(tmp_path: Path) -> None:
    description = (ROBOTS / "furuta.urdf").read_text().replace('<mass value="0.024"/>', '<mass value="0"/>')
    described(tmp_path, description, "furuta.urdf")
    task = described(tmp_path, (ROBOTS / "furuta_balance.yaml").read_text(), "task.yaml")
    with pytest.raises(ConfigError, match="mass and inertia of moving bodies") as told:
        plan_training(TrainingOptions(task=str(task), runs_dir=tmp_path / "runs"))
    assert str(told.value).count(". ") == 0
    assert not (tmp_path / "runs").exists()
