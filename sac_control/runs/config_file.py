"""The complete configuration of a run, as a ROS parameter file: ``ros2 run … --params-file`` takes it as it is.

A file holds only what differs from the defaults; the one written into a run directory holds everything.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sac_control.config import EvaluatorConfig, LearnerConfig, PolicyConfig, SimulatorConfig
from sac_control.errors import ConfigError
from sac_control.option import Config, suggest


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """The settings of all nodes."""

    simulator: SimulatorConfig = dataclasses.field(default_factory=SimulatorConfig)
    policy: PolicyConfig = dataclasses.field(default_factory=PolicyConfig)
    learner: LearnerConfig = dataclasses.field(default_factory=LearnerConfig)
    evaluator: EvaluatorConfig = dataclasses.field(default_factory=EvaluatorConfig)

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
        for name, entries in values.items():
            if name not in SECTIONS:
                raise ConfigError(f"{name!r} is not a known section; {suggest(name, SECTIONS)}")
            if not isinstance(entries, Mapping):
                raise ConfigError(f"section {name!r} is {entries!r}: expected keys with values")
            section = self.section(name)
            changed[name] = type(section).from_mapping({**section.to_mapping(), **entries})
        return dataclasses.replace(self, **changed)


SECTIONS = tuple(field.name for field in dataclasses.fields(RunConfig))


def read(path: Path, base: RunConfig | None = None) -> RunConfig:
    """`base` (or the defaults) with what the parameter file at `path` says.

    Raises:
        ConfigError: the file cannot be read, is not a ROS parameter file, or holds an unknown key or a bad value.
    """
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:  # ValueError: not UTF-8, or a date such as 2026-99-99
        raise ConfigError(f"cannot read configuration {path}: {error}") from error
    if content is None:
        content = {}
    try:
        return (base or RunConfig()).with_values(_sections(content))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def write_text(config: RunConfig) -> str:
    """All settings as YAML, for every namespace."""
    content = {f"/**/{name}": {"ros__parameters": config.section(name).to_mapping()} for name in SECTIONS}
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
    except (ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"the value of {text!r} is not YAML: {error}") from error


def _sections(content: Any) -> dict[str, Any]:
    if not isinstance(content, Mapping):
        raise ConfigError("expected node names with ros__parameters below each")
    sections = {}
    for node, entries in content.items():
        if not isinstance(entries, Mapping) or set(entries) != {"ros__parameters"}:
            raise ConfigError(f"below {node!r} exactly the key ros__parameters is expected, with the settings below it")
        section, settings = str(node).rsplit("/", 1)[-1], entries["ros__parameters"]
        if section in sections:
            raise ConfigError(f"the node {section!r} is there twice: put all of its settings in one place")
        if not isinstance(settings, Mapping | None):
            raise ConfigError(f"section {section!r} is {settings!r}: expected keys with values")
        sections[section] = {str(key): value for key, value in (settings or {}).items()}
    return sections
