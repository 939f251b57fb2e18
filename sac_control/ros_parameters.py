"""Parameters of ROS itself, which every node takes beside its settings. Knows no setting."""

from __future__ import annotations

from typing import Any

from sac_control.errors import ConfigError
from sac_control.option import suggest

_FLAGS = ("use_sim_time", "start_type_description_service")
_QUALITY = "qos_overrides."  # and then <topic>.<publisher|subscription>.<policy>
_POLICIES: dict[str, tuple[str, ...]] = {  # with the names that are allowed; those without one are numbers
    "reliability": ("reliable", "best_effort", "best_available", "system_default"),
    "durability": ("volatile", "transient_local", "best_available", "system_default"),
    "history": ("keep_last", "keep_all", "system_default"),
    "liveliness": ("automatic", "manual_by_topic", "best_available", "system_default"),
    "depth": (),
    "deadline": (),
    "lifespan": (),
    "liveliness_lease_duration": (),
}


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
    if name.startswith(_QUALITY):
        policy = name.rpartition(".")[2]
        if policy not in _POLICIES:
            raise ConfigError(f"{where}.{name} ends with no policy of quality; {suggest(policy, _POLICIES)}")
        names = _POLICIES[policy]
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if not is_number if not names else str(value).lower() not in names:
            expected = f"one of {', '.join(names)}" if names else "a whole number"
            raise ConfigError(f"{where}.{name} is {value!r}: expected {expected}")
    return value
