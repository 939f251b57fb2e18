"""Runs a plan with the launch library. What is started is said in plan.py, what may be asked in launch_arguments.py."""

from __future__ import annotations

import sys
from pathlib import Path

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    LogInfo,
    OpaqueFunction,
    Shutdown,
    TimerAction,
)
from launch.events.process import ProcessExited, ShutdownProcess
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from sac_control.cli import ending
from sac_control.cli.aftermath import draw_curve, remove_what_never_began
from sac_control.cli.launch_arguments import LaunchFile
from sac_control.cli.node_description import RESTART_DELAY, NodeDescription
from sac_control.errors import EXIT_SETTING, EXIT_START
from sac_control.store.run_directory import RunDirectory
from sac_control.system import preflight
from sac_control.system.reach import export_line, reach


def launch_description(file: LaunchFile) -> LaunchDescription:
    """The description that `ros2 launch` runs: the arguments of `file`, then the nodes of its plan."""
    arguments: list[LaunchDescriptionEntity] = [
        DeclareLaunchArgument(
            argument.name,
            description=argument.help,
            default_value=argument.default,
            choices=list(argument.choices) or None,
        )
        for argument in file.arguments
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=_start, args=[file])])


def _start(context: LaunchContext, file: LaunchFile) -> list[LaunchDescriptionEntity]:
    if any(Path(word).name == file.name for word in sys.argv):  # included by another file: the arguments are for that
        file.check_names(word.partition(":=")[0] for word in context.argv)
    values = {argument.name: LaunchConfiguration(argument.name).perform(context) for argument in file.arguments}
    environment = reach(context.environment, network=values["network"] == "true")
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    preflight.check({**context.environment, **environment}, file.packages)
    plan = file.plan(values)
    environment["ROS_LOG_DIR"] = str(preflight.log_directory(context.environment))
    notes = [LogInfo(msg=f"note: {note}") for note in plan.notes]
    notes += [LogInfo(msg=f"warning: {warning}") for warning in plan.warnings]
    told = export_line({**context.environment, **environment})
    notes.append(LogInfo(msg=f"for tools of ROS in another terminal: {told}"))
    nodes = _Nodes(environment, plan.run, values.get("video", "false"))
    return [*notes, *(nodes.start(node, is_first=k == 0) for k, node in enumerate(plan))]


class _Nodes:
    """The nodes of a plan, which end together; each is started again as node_description.py says.

    Launch's own `respawn` is no help: it would repeat the same arguments whatever the exit code was, and a learner
    must resume.

    Args:
        environment: of their processes.
        run: of a training; None: there is none.
        is_filmed: whether its best policy is filmed when it has ended, "true" or "false".
    """

    def __init__(self, environment: dict[str, str], run: RunDirectory | None, is_filmed: str) -> None:
        self._environment, self._run, self._is_filmed = environment, run, is_filmed
        self._processes: list[ExecuteProcess] = []
        self._has_finished = False  # whether the first one ended as it should

    def start(self, node: NodeDescription, *, is_first: bool) -> ExecuteProcess:
        """The action that starts `node`."""
        process = self._action(node, is_first=is_first)
        self._processes.append(process)
        return process

    def _action(self, node: NodeDescription, *, is_first: bool) -> ExecuteProcess:
        if not node.is_needed:  # no executable of the package, and nothing ends with it
            command = [sys.executable, "-m", f"sac_control.nodes.{node.executable}", *node.arguments()]
            return ExecuteProcess(cmd=command, additional_env=self._environment, output="screen")

        def on_exit(event: ProcessExited, context: LaunchContext) -> list[LaunchDescriptionEntity]:
            return self._on_exit(node, event.returncode, is_first=is_first, is_shutdown=context.is_shutdown)

        patience = {"sigkill_timeout": f"{ending.LONGEST:g}"} if node.executable == "learner" else {}  # it saves
        return Node(
            package="sac_control",
            executable=node.executable,
            arguments=node.arguments(),
            additional_env=self._environment,
            output="screen",
            on_exit=on_exit,
            **patience,
        )

    def _on_exit(
        self, node: NodeDescription, code: int, *, is_first: bool, is_shutdown: bool
    ) -> list[LaunchDescriptionEntity]:
        run = self._run
        if node.executable == "learner" and run is not None:
            if (is_shutdown or code in (EXIT_SETTING, EXIT_START)) and remove_what_never_began(run):
                return [LogInfo(msg=f"removed {run.path}, where nothing was learnt"), Shutdown(reason="no training")]
            complaint = draw_curve(run) if is_shutdown else ""
            if complaint:
                return [LogInfo(msg=f"warning: no curve: {complaint}")]
        if is_shutdown or self._has_finished:
            return []
        if is_first and code == 0:
            return self._finish(node)
        reason = f"the {node.executable} process ended with exit code {code}"
        successor = node.successor(code)
        if successor is not None:
            again = self.start(successor, is_first=is_first)
            return [
                LogInfo(msg=f"warning: {reason}; restarting, at most {successor.restarts} more times"),
                TimerAction(period=RESTART_DELAY, actions=[again]),
            ]
        return [LogInfo(msg=f"error: {reason}; the others are stopped"), Shutdown(reason=reason)]

    def _finish(self, first: NodeDescription) -> list[LaunchDescriptionEntity]:
        """End the others, and then all; before that the pictures of a training, for which no node needs to live."""
        self._has_finished = True
        over = Shutdown(reason=f"{first.executable} has finished")
        if self._run is None:
            return [over]
        end_others = EmitEvent(event=ShutdownProcess(process_matcher=self._processes.__contains__))
        command = [sys.executable, "-m", "sac_control.cli.aftermath", str(self._run.path), self._is_filmed]
        pictures = ExecuteProcess(cmd=command, additional_env=self._environment, output="screen", on_exit=[over])
        return [end_others, pictures]
