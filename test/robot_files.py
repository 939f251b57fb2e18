"""Robot descriptions for tests: the built-in cart-pole with something changed, and robots made from them."""

from __future__ import annotations

import re
from pathlib import Path

from sac_control import robots
from sac_control.robots.robot import Drive, Robot

CART_POLE = (Path(robots.__file__).parent / "cart_pole.urdf").read_text()
CART, POLE = "slider_to_cart", "cart_to_pendulum"
STRANGE_CART, STRANGE_POLE = "left/rail-1 slider", "arm-2/pole of it"
CONTROL_PERIOD, PHYSICS_PERIOD = 0.0165, 0.0165 / 8  # [s]
STRONG = CART_POLE.replace('effort="100"', 'effort="100000"')  # [N]
ZERO_MASS = re.sub(r'<mass value="[^"]*"', '<mass value="0"', CART_POLE)
ZERO_INERTIA = re.sub(r'(i[xyz]{2})="[^"]*"', r'\1="0"', CART_POLE)
NO_INERTIAL = re.sub(r"<inertial>.*?</inertial>", "", CART_POLE, flags=re.DOTALL)


def make_robot(
    path: Path,
    text: str = CART_POLE,
    *,
    joints: tuple[str, ...] = (CART, POLE),
    driven: str = CART,
    interface: str = "effort",
    limit: float = 100.0,
    max_effort: float | None = None,
    physics_period: float = PHYSICS_PERIOD,
) -> Robot:
    """The robot that `text`, written to `path`, describes."""
    path.write_text(text)
    return Robot(
        description=path,
        joints=joints,
        drives=(Drive(joint=driven, interface=interface, limit=limit, max_effort=max_effort),),
        control_period=CONTROL_PERIOD,
        physics_period=physics_period,
    )


def contract_robots(folder: Path) -> dict[str, Robot]:
    """Robots that every world must simulate, by what is special about them."""
    strange = CART_POLE.replace(CART, STRANGE_CART).replace(POLE, STRANGE_POLE)
    return {
        "effort": make_robot(folder / "effort.urdf"),
        "velocity": make_robot(folder / "velocity.urdf", STRONG, interface="velocity", limit=2.0),
        "position": make_robot(folder / "position.urdf", STRONG, interface="position", limit=1.0),
        "other_order": make_robot(folder / "order.urdf", joints=(POLE, CART)),
        "strange_names": make_robot(
            folder / "strange names.urdf", strange, joints=(STRANGE_CART, STRANGE_POLE), driven=STRANGE_CART
        ),
    }
