"""Runs a plan with the launch library. What is started is said in plan.py, what may be asked in launch_arguments.py."""

from __future__ import annotations

import sys
from pathlib import Path

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, ExecuteProcess, LogInfo, OpaqueFunction, Shutdown, TimerAction
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from sac_control.cli import ending
from sac_control.cli.aftermath import draw_missing_curve, remove_what_never_began
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
    film = _film(plan.run, environment) if plan.run is not None and values.get("video") == "true" else None
    nodes = [_node(node, environment, is_first=k == 0, run=plan.run, film=film) for k, node in enumerate(plan)]
    return [*notes, *nodes]


def _film(run: RunDirectory, environment: dict[str, str]) -> ExecuteProcess:
    """What makes the video of a run when it has ended; the launch ends with it."""
    command = [sys.executable, "-m", "sac_control.cli.filming", str(run.path)]
    over = Shutdown(reason="the training has ended")
    return ExecuteProcess(cmd=command, additional_env=environment, output="screen", on_exit=[over])


def _node(
    node: NodeDescription,
    environment: dict[str, str],
    *,
    is_first: bool,
    run: RunDirectory | None,
    film: ExecuteProcess | None,
) -> ExecuteProcess:
    """A node that is started again as node_description.py says.

    Launch's own `respawn` is no help: it would repeat the same arguments whatever the exit code was, and a learner
    must resume.
    """

    def on_exit(event: ProcessExited, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        if node.executable == "learner" and run is not None:
            is_over = context.is_shutdown or event.returncode in (EXIT_SETTING, EXIT_START)
            if is_over and remove_what_never_began(run):
                return [LogInfo(msg=f"removed {run.path}, where nothing was learnt"), Shutdown(reason="no training")]
            complaint = draw_missing_curve(run) if context.is_shutdown else ""
            if complaint:
                return [LogInfo(msg=f"warning: no curve: {complaint}")]
        if context.is_shutdown:
            return []
        if is_first and event.returncode == 0:
            return [film or Shutdown(reason=f"{node.executable} has finished")]
        reason = f"the {node.executable} process ended with exit code {event.returncode}"
        successor = node.successor(event.returncode)
        if successor is not None:
            again = _node(successor, environment, is_first=is_first, run=run, film=film)
            return [
                LogInfo(msg=f"warning: {reason}; restarting, at most {successor.restarts} more times"),
                TimerAction(period=RESTART_DELAY, actions=[again]),
            ]
        return [LogInfo(msg=f"error: {reason}; the others are stopped"), Shutdown(reason=reason)]

    if not node.is_needed:  # no executable of the package, and nothing ends with it
        command = [sys.executable, "-m", f"sac_control.nodes.{node.executable}", *node.arguments()]
        return ExecuteProcess(cmd=command, additional_env=environment, output="screen")
    return Node(
        package="sac_control",
        executable=node.executable,
        arguments=node.arguments(),
        additional_env=environment,
        output="screen",
        on_exit=on_exit,
        **({"sigkill_timeout": f"{ending.LONGEST:g}"} if node.executable == "learner" else {}),  # it saves what it has
    )
