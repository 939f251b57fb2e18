"""view.launch.py and its display: what they name exists, and what cannot be shown is refused in one sentence."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from sac_control.cli.robot_view import robot_view
from sac_control.errors import ConfigError
from sac_control.tasks.catalogue import TASKS

ROOT = Path(__file__).resolve().parent.parent
LAUNCH_FILE = ROOT / "launch" / "view.launch.py"
PACKAGES = ["robot_state_publisher", "rviz2", "joint_state_publisher_gui"]
NO_LAUNCH = "the launch library is not on PyPI: it comes with a ROS installation"


def displays() -> dict[str, Any]:
    document = yaml.safe_load((ROOT / "config" / "view.rviz").read_text())
    return document["Visualization Manager"]


@pytest.mark.parametrize("task", TASKS)
def test_fixed_frame_of_the_display_is_the_root_of_each_built_in_robot(task: str) -> None:
    assert robot_view(task).root == displays()["Global Options"]["Fixed Frame"]


def test_display_shows_the_description_that_the_launch_file_publishes() -> None:
    (model,) = (each for each in displays()["Displays"] if each["Class"] == "rviz_default_plugins/RobotModel")
    assert model["Description Topic"]["Value"] == "/robot_description"
    assert model["Description Topic"]["Durability Policy"] == "Transient Local"  # published once, before RViz listens
    assert '("/robot_description", "robot_description")' in LAUNCH_FILE.read_text()  # into the namespace


def test_display_draws_classes_of_plugins_that_come_with_rviz() -> None:
    manager = displays()
    classes = {each["Class"] for each in [*manager["Displays"], *manager["Tools"], manager["Views"]["Current"]]}
    assert {name.split("/")[0] for name in classes} == {"rviz_default_plugins"}


def test_robot_that_does_not_exist_is_refused_with_the_nearest_task() -> None:
    with pytest.raises(ConfigError, match="robot 'inverted_pendulm' is not known; did you mean inverted_pendulum?"):
        robot_view("inverted_pendulm")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.urdf", None, "there is no robot description .*a.urdf"),
        ("a.urdf", "<robot><link", "a.urdf is not XML: unclosed token: line 1, column 7"),
        ("a.xml", "<mujoco/>", "a.xml is MJCF, which RViz cannot show: give a URDF of the robot"),
        ("a.urdf", "<robot/>", "a.urdf has no link: expected a robot"),
        (
            "a.urdf",
            "<robot><link name='a'/><link name='b'/></robot>",
            "has 2 links without a parent .a, b.: expected one",
        ),
        (
            "a.urdf",
            "<robot xmlns:xacro='http://www.ros.org/wiki/xacro'><xacro:property name='a' value='1'/></robot>",
            "a.urdf has xacro commands: give it the suffix .xacro to have them expanded",
        ),
    ],
)
def test_file_that_is_no_urdf_is_refused_in_one_sentence(
    tmp_path: Path, name: str, text: str | None, message: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=message):
        robot_view(str(tmp_path / name))


def test_meshes_beside_a_user_s_file_are_found_by_rviz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside, packaged, absolute = (
        tmp_path / "arm 1.stl",
        tmp_path / "share" / "lab" / "hand.stl",
        tmp_path / "finger.stl",
    )
    packaged.parent.mkdir(parents=True)
    for file in (beside, packaged, absolute):
        file.touch()
    shapes = "".join(
        f"<visual><geometry><mesh filename='{file}'/></geometry></visual>"
        for file in ("arm 1.stl", "package:///arm 1.stl", "package://lab/hand.stl", absolute)
    )
    (tmp_path / "arm.urdf").write_text(f"<robot name='arm'><link name='base'>{shapes}</link></robot>")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    described = robot_view("arm.urdf")
    assert described.root == "base"
    files = [mesh.get("filename") for mesh in ElementTree.fromstring(described.urdf).iter("mesh")]
    assert files == [file.as_uri() for file in (beside, beside, packaged, absolute)]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the packages of others appear to be installed."""
    index = tmp_path / "share" / "ament_index" / "resource_index" / "packages"
    index.mkdir(parents=True)
    for package in PACKAGES:
        (index / package).touch()
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{sys.prefix}:{tmp_path}")
    return index


def nodes_of(monkeypatch: pytest.MonkeyPatch, **arguments: str) -> dict[str, Any]:
    """The nodes that `ros2 launch sac_control view.launch.py` would start, by executable."""
    pytest.importorskip("launch.actions", reason=NO_LAUNCH)
    launch = pytest.importorskip("launch")
    pytest.importorskip("launch_ros")
    monkeypatch.setattr(sys, "argv", ["ros2", "launch", "sac_control", LAUNCH_FILE.name])
    context = launch.LaunchContext(argv=[f"{name}:={value}" for name, value in arguments.items()])
    context.launch_configurations.update(arguments)
    description = module().generate_launch_description()
    entities = [entity for part in description.entities for entity in part.visit(context) or ()]
    return {entity.node_executable: entity for entity in entities if hasattr(entity, "node_executable")}


def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("view", LAUNCH_FILE)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.mark.parametrize("robot", [*TASKS, str(ROOT / "sac_control" / "robots" / "cart_pole.urdf")])
@pytest.mark.usefixtures("installed")
def test_view_starts_robot_state_publisher_and_rviz(monkeypatch: pytest.MonkeyPatch, robot: str) -> None:
    assert list(nodes_of(monkeypatch, robot=robot)) == ["robot_state_publisher", "rviz2"]


@pytest.mark.usefixtures("installed")
def test_sliders_are_started_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(nodes_of(monkeypatch, joint_state_publisher_gui="true")) == PACKAGES


def test_package_that_is_not_installed_is_named_with_the_command_that_helps(
    monkeypatch: pytest.MonkeyPatch, installed: Path
) -> None:
    (installed / "rviz2").unlink()
    monkeypatch.setenv("ROS_DISTRO", "jazzy")
    with pytest.raises(ConfigError, match="rviz2 is not installed: sudo apt install ros-jazzy-rviz2"):
        nodes_of(monkeypatch)


@pytest.mark.usefixtures("installed")
def test_launch_argument_that_does_not_exist_is_refused_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="launch argument 'robto' is not known; did you mean robot?"):
        nodes_of(monkeypatch, robto="x")


def test_nodes_stay_in_the_namespace_with_sliders_off_its_joint_states_and_end_with_rviz(
    monkeypatch: pytest.MonkeyPatch, installed: Path, tmp_path: Path
) -> None:
    pytest.importorskip("launch.actions", reason=NO_LAUNCH)
    launch = pytest.importorskip("launch")
    pytest.importorskip("launch_ros")
    called = {package: tmp_path / f"{package}.called" for package in PACKAGES}
    others = " && ".join(f"test -s {called[package]}" for package in PACKAGES if package != "rviz2")
    for package in PACKAGES:  # in the place of each, a program that says how it was called
        ends = f"until {others}; do sleep 0.02; done" if package == "rviz2" else "exec sleep 60"
        program = tmp_path / "lib" / package / package
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\necho "$@" > {called[package]}\n{ends}\n')
        program.chmod(0o755)
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path))
    arguments = {"robot": "inverted_double_pendulum", "namespace": "lab", "joint_state_publisher_gui": "true"}
    settings = [launch.actions.SetLaunchConfiguration(name, value) for name, value in arguments.items()]
    service = launch.LaunchService(argv=[])
    service.include_launch_description(
        launch.LaunchDescription([*settings, *module().generate_launch_description().entities])
    )
    assert service.run() == 0
    words = {package: file.read_text() for package, file in called.items()}
    assert all("__ns:=/lab" in text for text in words.values())
    for package in ("robot_state_publisher", "rviz2"):
        assert "/tf:=tf" in words[package]
        assert "/tf_static:=tf_static" in words[package]
    for package in ("robot_state_publisher", "joint_state_publisher_gui"):
        assert "joint_states:=slider_joint_states" in words[package]
    assert "view.rviz -f world" in words["rviz2"]
