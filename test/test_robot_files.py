"""Robots that no world can simulate are refused in one sentence, which tells the file and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from robot_files import CART, CART_POLE, NO_INERTIAL, POLE, ZERO_INERTIA, ZERO_MASS, make_robot
from sac_control.errors import ConfigError, StateError
from sac_control.robots.engines import is_installed
from sac_control.worlds.catalogue import engines, make_world
from sac_control.worlds.world import World


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.skipif(not is_installed(name), reason="not installed"))
                        for name in engines()])  # fmt: skip
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(
    ("joints", "driven", "complaint"),
    [
        ((CART, "cart_to_pendulam"), CART, "joint 'cart_to_pendulam'; did you mean cart_to_pendulum"),
        (("slider_to_card", POLE), "slider_to_card", "joint 'slider_to_card'; did you mean slider_to_cart"),
        ((CART, "world_to_rail"), CART, "joint 'world_to_rail'; did you mean slider_to_cart"),  # which is fixed
        ((CART, "elbow"), CART, "joint 'elbow'; known are slider_to_cart, cart_to_pendulum"),
    ],
)
def test_a_joint_that_the_description_has_not_names_the_nearest(
    engine: str, tmp_path: Path, joints: tuple[str, ...], driven: str, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=f"robot.urdf has no .*{complaint}"):
        make_world(engine, make_robot(tmp_path / "robot.urdf", joints=joints, driven=driven))


@pytest.mark.parametrize("period", [0.0165 / 1.5, 0.02, 0.0165 / 8.1])
def test_a_physics_period_that_is_no_whole_part_is_refused_with_one_that_is(tmp_path: Path, period: float) -> None:
    with pytest.raises(
        ConfigError, match=r"physics_period is .* s, the control period 0.0165 s: expected a whole part"
    ):
        make_robot(tmp_path / "robot.urdf", physics_period=period)


SECOND_ROOT = '<link name="stray"/></robot>'
LOOP = '<joint name="back" type="fixed"><parent link="pole"/><child link="rail"/></joint></robot>'
FLOATING = (
    '<link name="box"/><joint name="afloat" type="floating"><parent link="world"/><child link="box"/></joint></robot>'
)
MESH = '<visual><geometry><mesh filename="meshes/arm.stl"/></geometry></visual></link>'
BAD_FILES: dict[str, tuple[str, str]] = {  # what is in the file, and what is said beside its name
    "empty": ("", "is not XML"),
    "not_xml": ("robot: arm", "is not XML: syntax error: line 1"),
    "cut_off": (CART_POLE[:-20], "is not XML"),
    "html": ("<html/>", r"begins with <html>: expected <robot> \(URDF\) or <mujoco> \(MJCF\)"),
    "no_link": ("<robot/>", "has no link"),
    "two_roots": (CART_POLE.replace("</robot>", SECOND_ROOT), "has 2 links without a parent .*stray.*: expected one"),
    "loop": (CART_POLE.replace("</robot>", LOOP), "closes a loop.*cut the loop at one joint"),
    "mesh": (CART_POLE.replace("</link>", MESH, 1), "names the mesh 'meshes/arm.stl', and there is no file"),
    "package": (CART_POLE.replace("</link>", MESH.replace("meshes", "package://nobody_has"), 1),
                "'nobody_has', which is not installed: .*apt install ros-.*nobody-has"),
    "xacro": (CART_POLE.replace("</robot>", "<xacro:arm xmlns:xacro='http://www.ros.org/wiki/xacro'/></robot>"),
              "has xacro commands: give it the suffix .xacro"),
    "floating": (CART_POLE.replace("</robot>", FLOATING), "floating|mass and inertia"),
    "mass": (ZERO_MASS, "mass and inertia"),
    "inertia": (ZERO_INERTIA, "mass and inertia"),
    "no_inertial": (NO_INERTIAL, "mass and inertia"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_description_that_cannot_be_simulated_is_refused_in_a_sentence(
    engine: str, tmp_path: Path, case: str
) -> None:
    text, complaint = BAD_FILES[case]
    with pytest.raises(ConfigError, match=complaint) as caught:
        make_world(engine, make_robot(tmp_path / "bad.urdf", text))
    assert case == "package" or str(tmp_path / "bad.urdf") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_floating_base_in_mjcf_is_refused(engine: str, tmp_path: Path) -> None:
    text = (
        '<mujoco><worldbody><body name="box"><freejoint name="afloat"/><geom size="0.1"/><body name="arm" pos="0 0 1">'
        f'<joint name="{CART}" type="slide" axis="1 0 0"/><geom size="0.1"/></body></body></worldbody></mujoco>'
    )
    with pytest.raises(ConfigError, match="bad.xml has a floating base .*: fix it to the world"):
        make_world(engine, make_robot(tmp_path / "bad.xml", text, joints=(CART,)))


def test_a_description_that_is_not_there_or_needs_xacro_is_refused_with_the_remedy(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    robot = make_robot(tmp_path / "robot.urdf.xacro")
    with pytest.raises(ConfigError, match="needs the tool xacro, which is not installed: apt install ros-.*-xacro"):
        make_world(engine, robot)
    robot.description.unlink()
    with pytest.raises(ConfigError, match="there is no robot description .*robot.urdf.xacro: check the path"):
        make_world(engine, robot)


def step_often(world: World) -> None:
    for _ in range(50):
        world.step([1.0])


def test_physics_that_diverges_is_told_and_leaves_no_file_behind(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "robots"
    folder.mkdir()
    world = make_world(engine, make_robot(folder / "robot.urdf"))
    world.reset([0.0, 0.0, 0.05, 1e200])  # the square of this is no number
    with pytest.raises(StateError, match=r"robot.urdf diverged: .*shorter physics_period than 0.0020625 s"):
        step_often(world)
    world.reset([0.0, 0.0, 0.05, 0.0])
    world.step([1.0])
    world.close()
    assert [path.name for path in tmp_path.iterdir()] == ["robots"]
