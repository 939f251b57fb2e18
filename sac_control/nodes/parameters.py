"""ROS parameters declared from the dataclasses of config.py: one source of defaults, descriptions and ranges."""

from __future__ import annotations

from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node

from sac_control.config import Config

ConfigType = TypeVar("ConfigType", bound=Config)

# A node that declares what it was given, so that a name nobody knows can be told from one that was not given,
# and so that quality-of-service overrides take effect (rclpy 9.1 applies them only to parameters declared before).
NODE_OPTIONS: dict[str, Any] = {"automatically_declare_parameters_from_overrides": True}

_PREFIXES_OF_ROS = ("use_sim_time", "start_type_description_service", "qos_overrides.")


def declare_parameters(node: Node, config_class: type[ConfigType]) -> ConfigType:
    """Read what `node` was given, check it, and declare every setting of `config_class` as a read-only parameter.

    Raises:
        ConfigError: a parameter is unknown (the nearest valid one is named), or has a wrong type or range.
    """
    given = {
        name: parameter.value
        for name, parameter in node.get_parameters_by_prefix("").items()
        if not name.startswith(_PREFIXES_OF_ROS)
    }
    config = config_class.from_mapping({name: _plain(value) for name, value in given.items()})
    for name in given:  # declared again below with its proper type: YAML writes the number 1.0 as 1
        node.undeclare_parameter(name)
    for name, value in config.to_mapping().items():
        node.declare_parameter(name, value, _descriptor(config_class, name), ignore_override=True)
    return config


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) or value is None else list(value)


def _descriptor(config_class: type[Config], name: str) -> ParameterDescriptor:
    kind, info = config_class.types()[name], config_class.info(name)
    descriptor = ParameterDescriptor(
        description=info.description, additional_constraints=info.allowed() if info.choices else "", read_only=True
    )
    if kind is float and info.low is not None and info.high is not None:
        descriptor.floating_point_range = [FloatingPointRange(from_value=info.low, to_value=info.high, step=0.0)]
    if kind is int and info.low is not None and info.high is not None:
        descriptor.integer_range = [IntegerRange(from_value=int(info.low), to_value=int(info.high), step=1)]
    return descriptor
