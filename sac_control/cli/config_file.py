"""The complete configuration of a run, as a ROS parameter file: ``ros2 run … --params-file`` takes it as it is.

A file holds only what differs from the defaults; the one written into a run directory holds everything. Which section
is for which node is decided as ROS does it, in parameter_file.py.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sac_control.cli.parameter_file import Section, read_sections
from sac_control.errors import ConfigError
from sac_control.option import Config, suggest
from sac_control.policy.policy_config import PolicyConfig
from sac_control.ros_parameters import checked, is_of_ros
from sac_control.simulation.simulator_config import SimulatorConfig
from sac_control.training.evaluator_config import EvaluatorConfig
from sac_control.training.learner_config import LearnerConfig, learner_config, of_today


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """The settings of all nodes."""

    simulator: SimulatorConfig = dataclasses.field(default_factory=SimulatorConfig)
    policy: PolicyConfig = dataclasses.field(default_factory=PolicyConfig)
    learner: LearnerConfig = dataclasses.field(default_factory=learner_config)
    evaluator: EvaluatorConfig = dataclasses.field(default_factory=EvaluatorConfig)
    of_ros: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)  # ROS's own, by node

    def section(self, name: str) -> Config:
        """The settings of the node `name`."""
        config: Config = getattr(self, name)
        return config

    def with_values(self, values: Mapping[str, Mapping[str, Any]]) -> RunConfig:
        """A copy in which ``values[section][key]`` replace what was there.

        Raises:
            ConfigError: a section or key is unknown (the nearest valid one is named), or a value is not allowed.
        """
        changed: dict[str, Any] = {}
        of_ros = dict(self.of_ros)
        for name, entries in values.items():
            if name not in SECTIONS:
                raise ConfigError(f"{name!r} is not a known section; {suggest(name, SECTIONS)}")
            if not isinstance(entries, Mapping):
                raise ConfigError(f"section {name!r} is {entries!r}: expected keys with values")
            section = self.section(name)
            settings = {key: value for key, value in entries.items() if not is_of_ros(key)}
            changed[name] = section.changed(settings)
            others = {key: checked(name, key, value) for key, value in entries.items() if is_of_ros(key)}
            if others:
                of_ros[name] = {**of_ros.get(name, {}), **others}
        return dataclasses.replace(self, **changed, of_ros=of_ros)


SECTIONS = tuple(field.name for field in dataclasses.fields(RunConfig) if field.name != "of_ros")


def read(path: Path, base: RunConfig | None = None, namespace: str = "") -> RunConfig:
    """`base` (or the defaults) with what the parameter file at `path` says for nodes in `namespace` ("" or "/name").

    Raises:
        ConfigError: the file cannot be read, is not a ROS parameter file, is for other nodes alone, or holds an
            unknown key or a bad value.
    """
    return with_sections(base or RunConfig(), path, read_sections(path), namespace)


def read_begun(path: Path, base: RunConfig, namespace: str = "") -> RunConfig:
    """`base` with the complete configuration, at `path`, that a run was begun with, be it by an earlier version.

    Raises:
        ConfigError: as `read` does.
    """
    sections = [dataclasses.replace(each, parameters=of_today(each.parameters)) for each in read_sections(path)]
    return with_sections(base, path, sections, namespace)


def with_sections(base: RunConfig, path: Path, sections: Sequence[Section], namespace: str) -> RunConfig:
    """`base` with what the sections of the file at `path` say for nodes in `namespace`; a later one is stronger.

    Raises:
        ConfigError: none is for any of our nodes, or one holds an unknown key or a bad value.
    """
    left_out = strangers(sections, namespace)
    if left_out and len(left_out) == len(sections):
        nodes = ", ".join(_full_names(namespace).values())
        raise ConfigError(f"{path}: nothing in it is for {nodes}: {'; '.join(left_out)}")
    try:
        values: dict[str, dict[str, Any]] = {}
        for section in sections:
            for name, entries in _values(section, namespace).items():
                values.setdefault(name, {}).update(entries)
        return base.with_values(values)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def strangers(sections: Sequence[Section], namespace: str) -> list[str]:
    """Half a sentence for each section that is for none of our nodes in `namespace`."""
    return [
        f"{section.name} (line {section.line}): {_whose(section.name.rpartition('/')[2])}"
        for section in sections
        if not any(section.is_for(name) for name in _full_names(namespace).values())
    ]


def write_text(config: RunConfig) -> str:
    """All settings as YAML, for every namespace, and what else was given for ROS itself."""
    content = {
        f"/**/{name}": {"ros__parameters": {**config.section(name).to_mapping(), **config.of_ros.get(name, {})}}
        for name in SECTIONS
    }
    return yaml.safe_dump(content, sort_keys=False, default_flow_style=None)


def parse_assignment(text: str) -> tuple[str, str, Any]:
    """``learner.batch_size=128`` to ("learner", "batch_size", 128).

    Raises:
        ConfigError: not of the form section.key=value.
    """
    name, equals, value = text.partition("=")
    section, dot, key = name.strip().partition(".")
    if not (equals and dot and key):
        raise ConfigError(f"{text!r} is not of the form section.key=value, such as learner.batch_size=128")
    config = RunConfig().section(section) if section in SECTIONS else None
    is_verbatim = config is not None and key in config.types() and config.info(key).is_verbatim
    if is_verbatim and not value.strip().startswith(("'", '"')):
        return section, key, value.strip()  # YAML would make a mapping of "arm: 0.05"
    try:
        return section, key, yaml.safe_load(value)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"the value of {text!r:.200} is not YAML: {error}") from error


def _whose(name: str) -> str:
    if name in SECTIONS:
        return f"in another namespace (/**/{name} would be any)"
    near = difflib.get_close_matches(name, SECTIONS, n=1)
    return f"no node of ours (did you mean {near[0]}?)" if near else "no node of ours"


def _full_names(namespace: str) -> dict[str, str]:
    return {name: f"{namespace}/{name}" for name in SECTIONS}


def _values(section: Section, namespace: str) -> dict[str, dict[str, Any]]:
    """What a section says, by our nodes.

    One for many nodes says to each what it knows, but nothing that none of them knows.
    """
    nodes = [name for name, full in _full_names(namespace).items() if section.is_for(full)]
    if not section.is_for_many:
        return {name: dict(section.parameters) for name in nodes}
    known = {name: RunConfig().section(name).names() for name in nodes}
    for key in section.parameters:
        if nodes and not is_of_ros(key) and not any(key in keys for keys in known.values()):
            names = sorted(set().union(*known.values()))
            raise ConfigError(f"{section.name}.{key} is not a known setting; {suggest(key, names)}")
    return {
        name: {key: value for key, value in section.parameters.items() if is_of_ros(key) or key in known[name]}
        for name in nodes
    }
