"""The machine on the page moves as the machine in the engine does: each body stands where the engine has it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import mujoco
import numpy as np
import pytest

from robot_files import CART_POLE
from sac_control import robots
from sac_control.errors import ConfigError
from sac_control.robots.description import read_description
from sac_control.robots.drawing import Drawing, Pose, rotated, world_poses
from sac_control.worlds.drawing import draw
from sac_control.worlds.mujoco_world import load_specification

OURS, TESTS = Path(robots.__file__).parent, Path(__file__).parent / "robots"
FILES = [OURS / "cart_pole.urdf", OURS / "cart_two_poles.urdf", TESTS / "furuta.urdf", TESTS / "acrobot.xml"]
CRANKED = """<mujoco><worldbody><body name="crank" pos="0.1 0.2 0.3" euler="10 20 30">
  <joint name="turn" type="hinge" axis="0 1 1" pos="0.05 0 0.1" ref="20"/>
  <joint name="push" type="slide" axis="1 0 1"/>
  <geom type="capsule" size="0.02 0.1"/>
  <body name="tip" pos="0 0.1 0.4">
    <joint name="nod" axis="0 0 1" pos="0 0.02 0"/><geom type="box" size="0.1 0.1 0.1"/></body>
</body></worldbody></mujoco>"""


def joints_of(drawing: Drawing) -> list[str]:
    return [joint.name for body in drawing.bodies for joint in body.joints]


def in_engine(path: Path, positions: Mapping[str, float]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Where MuJoCo has each body: position and rotation matrix."""
    model = load_specification(read_description(path)).compile()
    data = mujoco.MjData(model)
    for name, value in positions.items():
        data.qpos[model.joint(name).qposadr[0]] = value
    mujoco.mj_forward(model, data)
    return {model.body(k).name: (data.xpos[k].copy(), data.xmat[k].reshape(3, 3).copy()) for k in range(1, model.nbody)}


def matrix(pose: Pose) -> np.ndarray:
    return np.stack([rotated(pose.turn, axis) for axis in np.eye(3)], axis=1)


def check(path: Path) -> None:
    drawing, rng = draw(path), np.random.default_rng(0)
    for _ in range(5):
        positions = {name: float(rng.uniform(-1.5, 1.5)) for name in joints_of(drawing)}
        drawn, real = world_poses(drawing, positions), in_engine(path, positions)
        assert real, "the engine has no body to compare with"
        for name, (place, turn) in real.items():
            np.testing.assert_allclose(drawn[name].position, place, atol=1e-6, err_msg=name)
            np.testing.assert_allclose(matrix(drawn[name]), turn, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_body_is_drawn_where_the_engine_has_it(path: Path) -> None:
    check(path)


def test_joints_beside_the_origin_of_their_body_and_several_of_one_body_move_as_in_the_engine(tmp_path: Path) -> None:
    path = tmp_path / "crank.xml"
    path.write_text(CRANKED)
    check(path)


@pytest.mark.needs("pybullet")
def test_urdf_is_drawn_where_pybullet_has_it() -> None:
    pybullet = pytest.importorskip("pybullet")
    client = pybullet.connect(pybullet.DIRECT)
    try:
        body = pybullet.loadURDF(str(OURS / "cart_pole.urdf"), useFixedBase=True, physicsClientId=client)
        names = {}
        for k in range(pybullet.getNumJoints(body, physicsClientId=client)):
            info = pybullet.getJointInfo(body, k, physicsClientId=client)
            names[info[1].decode()] = k, info[12].decode()
        positions = {"slider_to_cart": 0.4, "cart_to_pendulum": -0.7}
        for joint, value in positions.items():
            pybullet.resetJointState(body, names[joint][0], value, physicsClientId=client)
        drawn = world_poses(draw(OURS / "cart_pole.urdf"), positions)
        for k, link in names.values():
            state = pybullet.getLinkState(body, k, computeForwardKinematics=True, physicsClientId=client)
            np.testing.assert_allclose(drawn[link].position, state[4], atol=1e-6)
            x, y, z, w = state[5]
            np.testing.assert_allclose(np.abs(np.dot(drawn[link].turn, (w, x, y, z))), 1.0, atol=1e-6)
    finally:
        pybullet.disconnect(client)


def test_shapes_have_the_sizes_and_colours_of_the_description() -> None:
    bodies = {body.name: body for body in draw(OURS / "cart_pole.urdf").bodies}
    assert [shape.kind for shape in bodies["pole"].shapes] == ["cylinder", "sphere", "sphere"]
    assert bodies["pole"].shapes[0].size == (0.049, 0.6)
    assert bodies["pole"].shapes[0].color == (0.95, 0.5, 0.1, 1.0)
    assert bodies["cart"].joints[0].kind == "slide"


def test_number_that_is_none_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "odd.urdf"
    path.write_text(CART_POLE.replace('xyz="0.0005 0 0.3"', 'xyz="a b c"'))
    with pytest.raises(ConfigError, match="odd.urdf cannot be drawn"):
        draw(path)


def test_free_body_is_refused_because_no_joint_state_says_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "free.xml"
    path.write_text('<mujoco><worldbody><body><freejoint/><geom size="0.1"/></body></worldbody></mujoco>')
    with pytest.raises(ConfigError, match="free or ball joint"):
        draw(path)
