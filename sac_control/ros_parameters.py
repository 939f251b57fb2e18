"""Parameters of ROS itself, which every node takes beside its settings. Knows no setting."""

from __future__ import annotations

from typing import Any

from sac_control.errors import ConfigError

_FLAGS = ("use_sim_time", "start_type_description_service")
_QUALITY = "qos_overrides."  # and then <topic>.<publisher|subscription>.<policy>


def is_of_ros(name: str) -> bool:
    """Whether the parameter `name` is one of ROS itself."""
    return name in _FLAGS or name.startswith(_QUALITY)


def checked(where: str, name: str, value: Any) -> Any:
    """The value of a parameter of ROS itself, of the node `where`.

    Raises:
        ConfigError: ROS takes no such value.
    """
    if name in _FLAGS and not isinstance(value, bool):
        raise ConfigError(f"{where}.{name} is {value!r}: expected true or false")
    if not isinstance(value, bool | int | float | str):
        raise ConfigError(f"{where}.{name} is {value!r}: expected text, a number, or true or false")
    return value
