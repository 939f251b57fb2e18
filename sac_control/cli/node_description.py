"""What is to be known of one node's process to start it, and to start it again. Starts nothing itself."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sac_control.errors import EXIT_DONE, EXIT_SETTING, EXIT_START

RESTART_DELAY = 1.0  # [s] before a process that failed is started again


@dataclass(frozen=True, kw_only=True)
class NodeDescription:
    """One node's process."""

    executable: str  # name in lib/sac_control, of the module in sac_control.nodes, and of the node
    namespace: str  # "" or "/name"
    parameters_file: Path | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)  # stronger than the file
    remappings: tuple[tuple[str, str], ...] = ()
    log_level: str = "info"
    restarts: int = 0  # how often its process is started again where it fails
    restart_parameters: Mapping[str, Any] = field(default_factory=dict)  # stronger than all others from then on
    is_needed: bool = True  # whether the others are stopped where its process ends
    enclave: str = "/"  # of SROS2: what config/sros2_policy.xml grants it

    def successor(self, exit_code: int) -> NodeDescription | None:
        """What to start in the place of a process that ended with `exit_code`, negative for a signal; None: nothing.

        A process that did its work, and one that would fail at its start again, are not repeated.
        """
        if self.restarts == 0 or exit_code in (EXIT_DONE, EXIT_SETTING, EXIT_START):
            return None
        parameters = {**self.parameters, **self.restart_parameters}
        return dataclasses.replace(self, restarts=self.restarts - 1, parameters=parameters)

    def arguments(self) -> list[str]:
        """Command-line arguments, as every ROS 2 node takes them."""
        arguments = ["--ros-args", "--enclave", self.enclave]  # means nothing without SROS2
        logger = ".".join([*filter(None, self.namespace.split("/")), self.executable])  # as rcl names it
        arguments += ["--log-level", f"{logger}:={self.log_level}"]
        if self.namespace:
            arguments += ["-r", f"__ns:={self.namespace}"]
        for old, new in self.remappings:
            arguments += ["-r", f"{old}:={new}"]
        if self.parameters_file is not None:
            arguments += ["--params-file", str(self.parameters_file)]
        for name, value in self.parameters.items():
            arguments += ["-p", f"{name}:={json.dumps(value, ensure_ascii=False)}"]  # JSON is YAML, keeps text text
        return arguments
