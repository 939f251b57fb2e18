"""ROS parameters declared from the dataclasses of settings: one source of defaults, descriptions and ranges."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from sac_control.errors import ConfigError
from sac_control.option import Config, PerJoint
from sac_control.ros_parameters import checked, is_of_ros

ConfigType = TypeVar("ConfigType", bound=Config)

# A node that declares what it was given, so that a name nobody knows can be told from one that was not given,
# and so that quality-of-service overrides take effect (rclpy 9.1 applies them only to parameters declared before).
NODE_OPTIONS: dict[str, Any] = {"automatically_declare_parameters_from_overrides": True}


def declare_parameters(node: Node, config_class: type[ConfigType], live: Collection[str] = ()) -> ConfigType:
    """Read what `node` was given, check it, and declare every setting of `config_class` as a parameter.

    All but those in `live` are read-only: what is set at run time has an effect, or is refused. Where a setting is a
    number with a fraction, a whole one is taken at run time, too.

    Raises:
        ConfigError: a parameter is unknown (the nearest valid one is named), or has a wrong type or range.
    """
    all_given = {name: _plain(parameter.value) for name, parameter in node.get_parameters_by_prefix("").items()}
    for name, value in all_given.items():
        if is_of_ros(name):
            checked(node.get_name(), name, value)
    given = {name: value for name, value in all_given.items() if not is_of_ros(name)}
    config = config_class.from_mapping(given)
    kind = type(config)  # which may know more than it was asked for: a learner, the settings of its algorithm
    for name in given:  # declared again below with its proper type: YAML writes the number 1.0 as 1
        node.undeclare_parameter(name)
    for name, value in config.to_mapping().items():
        node.declare_parameter(name, value, _descriptor(kind, name, read_only=name not in live), ignore_override=True)
    kinds = kind.types()
    node.add_pre_set_parameters_callback(
        lambda given: [_as_float(each) if kinds.get(each.name) in (float, PerJoint) else each for each in given]
    )
    return config


def _as_float(parameter: Parameter[Any]) -> Parameter[Any]:
    """What `ros2 param set` makes a whole number of (20), or text (1e-3), as the number that it is at the start."""
    value = parameter.value
    if isinstance(value, bool) or not isinstance(value, int | str):
        return parameter
    try:
        return Parameter(parameter.name, Parameter.Type.DOUBLE, float(value))
    except ValueError:  # rclpy refuses it
        return parameter


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) or value is None else list(value)


def take_live_parameters(
    node: Node, check: Callable[[dict[str, Any]], ConfigType], take: Callable[[ConfigType], None]
) -> None:
    """Let parameters that are not read-only be set at run time, all of a request or none.

    Args:
        node: whose parameters they are.
        check: makes a configuration of new values by name, or raises ConfigError, of which the caller is told.
        take: puts it in force, at once.
    """
    accepted: list[ConfigType] = []

    def on_set(parameters: list[Parameter[Any]]) -> SetParametersResult:
        accepted.clear()
        values = {each.name: _plain(each.value) for each in parameters if not is_of_ros(each.name)}
        try:
            if values:
                accepted.append(check(values))
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def post_set(_: list[Parameter[Any]]) -> None:
        if accepted:
            take(accepted.pop())

    def set_in_words(parameters: list[Parameter[Any]]) -> SetParametersResult:
        ours = [each for each in parameters if node.has_parameter(each.name) and not is_of_ros(each.name)]
        result = on_set([each for each in ours if not node.describe_parameter(each.name).read_only])
        return type(node).set_parameters_atomically(node, parameters) if result.successful else result

    node.add_on_set_parameters_callback(on_set)
    node.add_post_set_parameters_callback(post_set)
    # rclpy checks types before it asks callbacks, and names them by numbers: expected '3' got '1'.
    node.set_parameters_atomically = set_in_words  # type: ignore[method-assign]


def _descriptor(config_class: type[Config], name: str, *, read_only: bool) -> ParameterDescriptor:
    kind, info = config_class.types()[name], config_class.info(name)
    descriptor = ParameterDescriptor(
        description=info.description,
        dynamic_typing=kind == PerJoint,  # 20.0 and 'arm: 0.05, wheel: 3' alike
        additional_constraints=info.allowed() if info.choices else "",
        read_only=read_only,
    )
    if kind is float and info.low is not None and info.high is not None:
        descriptor.floating_point_range = [FloatingPointRange(from_value=info.low, to_value=info.high, step=0.0)]
    if kind is int and info.low is not None and info.high is not None:
        descriptor.integer_range = [IntegerRange(from_value=int(info.low), to_value=int(info.high), step=1)]
    return descriptor
