"""`train --plot`: rqt_plot from the first transition until its window is closed, or one sentence why not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lifecycle_msgs.srv import GetState
from std_srvs.srv import Trigger

from policies import RUN_ID, make_file
from ros_world import RosWorld
from sac_control.cli import plotting, runner
from sac_control.cli.node_description import NodeDescription
from sac_control.cli.options import TrainingOptions
from sac_control.cli.plan import Plan, plan_training
from sac_control.errors import ConfigError
from sac_control.nodes import topics
from sac_control.nodes.learner import LearnerNode
from sac_control.nodes.plot_window import python_of
from sac_control.nodes.policy import PolicyNode
from sac_control.nodes.simulator import SimulatorNode
from test_end_to_end import COMMAND
from test_node_learner import learner, send, transition

WITH_DISPLAY = {"DISPLAY": ":0"}

# In the place of rqt_plot: as that does, it makes a node and at once drops what this has not discovered. It goes on
# until the policy node is inactive, and writes down what it was asked for and what it has seen.
STAND_IN = f"""#!{sys.executable}
import json, sys
import rclpy
from lifecycle_msgs.srv import GetState
from sac_control.msg import TrainingStatus

rclpy.init()
node = rclpy.create_node("rqt_gui_py_node_1")
fields = [word for word in sys.argv[1:] if word != "--empty"]
known = [name for name, _ in node.get_topic_names_and_types()]
drawn = [field for field in fields if field.rpartition("/")[0] in known]
statuses = []
if drawn:
    node.create_subscription(TrainingStatus, drawn[0].rpartition("/")[0], statuses.append, 10)
client, state = node.create_client(GetState, "/lab/policy/get_state"), ""
while state != "inactive":
    rclpy.spin_once(node, timeout_sec=0.1)
    if statuses and statuses[-1].phase == TrainingStatus.PHASE_FINISHED and client.service_is_ready():
        future = client.call_async(GetState.Request())
        rclpy.spin_until_future_complete(node, future, timeout_sec=1.0)
        state = future.result().current_state.label if future.done() else ""
with open("seen.json", "w") as stream:
    json.dump({{"drawn": drawn, "steps": [statuses[0].env_steps, statuses[-1].env_steps], "state": state}}, stream)
"""


def put(program: Path, content: str) -> Path:
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(content)
    program.chmod(0o755)
    return program


@pytest.fixture
def window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of programs with an rqt_plot, and a display."""
    place = put(tmp_path / "bin" / "rqt_plot", STAND_IN).parent
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":0")
    return place


def test_rqt_plot_is_found_on_the_path_and_where_ros2_run_looks(tmp_path: Path) -> None:
    on_path = put(tmp_path / "bin" / "rqt_plot", "#!/bin/sh\n")
    of_ros = put(tmp_path / "ros" / "lib" / "rqt_plot" / "rqt_plot", "#!/bin/sh\n")
    path, prefixes = {"PATH": str(on_path.parent)}, {"PATH": "", "AMENT_PREFIX_PATH": f"/absent:{tmp_path / 'ros'}"}
    assert plotting.find_rqt_plot({**path, **WITH_DISPLAY}) == str(on_path)
    assert plotting.find_rqt_plot({**prefixes, **WITH_DISPLAY}) == str(of_ros)


def test_without_rqt_plot_or_display_one_sentence_comes_and_no_run_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "AMENT_PREFIX_PATH"):
        monkeypatch.delenv(name, raising=False)
    options = TrainingOptions(runs_dir=tmp_path / "runs", run="new", plot=True)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("ROS_DISTRO", "jazzy")
    with pytest.raises(ConfigError, match=r"not found: source .* \(sudo apt install ros-jazzy-rqt-plot\), or leave"):
        plan_training(options)
    put(tmp_path / "rqt_plot", "#!/bin/sh\n")
    with pytest.raises(ConfigError, match="needs a display, and neither DISPLAY nor WAYLAND_DISPLAY is set"):
        plan_training(options)
    assert not (tmp_path / "runs").exists()


def test_the_window_is_one_more_process_and_nothing_of_it_stays_with_the_run(tmp_path: Path, window: Path) -> None:
    plan = plan_training(TrainingOptions(runs_dir=tmp_path, run="new", plot=True, namespace="lab"))
    *nodes, last = plan.nodes
    assert [node.executable for node in nodes] == ["learner", "simulator", "policy"]
    assert all(node.is_needed for node in nodes)
    assert (last.executable, last.is_needed, last.namespace, last.restarts) == ("plot_window", False, "/lab", 0)
    assert last.parameters["program"] == str(window / "rqt_plot")
    assert last.parameters["limits"] == [0.0, 1050.0], "the return of a solved episode is to be seen"
    assert nodes[0].parameters == {"audience_timeout": plotting.AUDIENCE_TIMEOUT}
    assert plan.run is not None
    assert "audience_timeout: 0.0" in plan.run.config.read_text(), "a run that is resumed waits for nobody"
    plain = plan_training(TrainingOptions(runs_dir=tmp_path, run="plain"))
    assert [node.executable for node in plain] == ["learner", "simulator", "policy"]


def test_what_is_drawn_are_fields_of_messages() -> None:
    known = {topic.name: topic.type for topic in (topics.TRAINING_STATUS, topics.POLICY_STATUS)}
    for topic, *fields in (text.split() for text in plotting.FIELDS):
        assert fields
        for field in fields:
            assert known[topic].get_fields_and_field_types()[field] in ("double", "uint64")


def test_interpreter_of_a_program_is_what_its_first_line_names(tmp_path: Path) -> None:
    for line, command in (
        ("#!/usr/bin/python3 -s", ["/usr/bin/python3", "-s"]),
        ("#!/usr/bin/env python3", ["/usr/bin/env", "python3"]),
        ("#!/bin/sh", []),
        ("\x7fELF", []),
        ("", []),
    ):
        assert python_of(put(tmp_path / "program", f"{line}\n")) == command


def test_first_weights_wait_for_somebody_from_outside_who_listens_to_the_status(tmp_path: Path) -> None:
    with RosWorld("/lab", learner=learner(tmp_path, audience_timeout=600.0)) as ros:
        weights = ros.hear(topics.WEIGHTS)
        node = ros.add(LearnerNode)
        statuses = ros.hear(topics.TRAINING_STATUS)  # in the same namespace
        ros.until(lambda: len(statuses) > 3, "no status")
        assert node._audience.is_awaited
        assert not weights
        outsider = ros.peer("outsider")
        outsider.create_subscription(topics.TRAINING_STATUS.type, "/lab/learner/status", lambda _: None, 10)
        ros.until(lambda: node._audience._node.count_subscribers("/lab/learner/status") > 1, "nobody else listens")
        ros.spin_for(0.3)
        assert not weights, "that one is in the same namespace, too"
        outside(ros)
        ros.until(lambda: weights, "no weights")


def test_after_the_time_limit_it_begins_all_the_same_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with RosWorld("/lab", learner=learner(tmp_path, audience_timeout=0.5)) as ros:
        weights = ros.hear(topics.WEIGHTS)
        ros.add(LearnerNode)
        ros.until(lambda: weights, "no weights")
    said = capsys.readouterr().out
    assert "waits until somebody listens to /lab/learner/status, for at most 0.5 s" in said
    assert "nobody listens to /lab/learner/status after 0.5 s: begins all the same" in said


def outside(ros: RosWorld) -> Any:
    """Somebody at the root who listens; destroying it is closing the window."""
    from rclpy.node import Node

    viewer = Node("rqt", namespace="/", use_global_arguments=False)
    viewer.create_subscription(topics.TRAINING_STATUS.type, "/lab/learner/status", lambda _: None, 10)
    ros._peers.append(viewer)
    return viewer


def state_of_policy(ros: RosWorld) -> str:
    """Of its life cycle."""
    return str(ros.call(GetState, "policy/get_state", GetState.Request()).current_state.label)


def test_at_the_end_everything_stands_still_until_nobody_listens(tmp_path: Path) -> None:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file().to_bytes())
    policy: dict[str, object] = {"policy_file": str(path), "run_id": RUN_ID, "lockstep": True}
    settings = learner(tmp_path, audience_timeout=600.0, max_steps=30, until="steps")
    with RosWorld("/lab", learner=settings, policy=policy, simulator={"run_id": "f" * 32}) as ros:
        node = ros.add(LearnerNode)
        ros.add(PolicyNode)
        simulator = ros.add(SimulatorNode)
        transitions = ros.publisher(topics.TRANSITIONS)
        viewer = outside(ros)
        ros.until(lambda: not node._audience.is_awaited, "still waits")
        for sequence in range(30):
            send(transitions, transition(sequence))
        ros.until(lambda: node._is_over, "is not over")
        assert not node.is_done
        assert json.loads((tmp_path / "run" / "summary.json").read_text())["env_steps"] == 30
        ros.until(
            lambda: ros.call(GetState, "policy/get_state", GetState.Request()).current_state.label == "inactive", ""
        )
        ros.until(lambda: simulator._is_paused, "the simulator is not paused")
        statuses = ros.hear(topics.TRAINING_STATUS)
        ros.spin_for(0.5)
        assert not statuses, "a plot would scroll away"
        saved = ros.call(Trigger, "learner/save", Trigger.Request())
        assert not saved.success
        assert "the training has ended, and all is saved in" in saved.message
        viewer.destroy_node()
        ros._peers.remove(viewer)
        ros.until(lambda: node.is_done, "stays for nobody")


def test_a_window_that_fails_is_told_of_once_and_stops_nothing(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = {"learner": "import time; time.sleep(1.5)", "plot_window": "import sys; sys.exit(3)"}

    def start(command: list[str], **options: Any) -> Any:
        return popen([sys.executable, "-c", scripts[command[2].rpartition(".")[2]]], **options)

    popen: Callable[..., Any] = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", start)
    nodes = (
        NodeDescription(executable="learner", namespace=""),
        NodeDescription(executable="plot_window", namespace="", is_needed=False),
    )
    assert runner.run(Plan(nodes=nodes), dict(os.environ)) == 0
    assert (
        capfd.readouterr().err.count("warning: the plot_window process ended with exit code 3; the others go on") == 1
    )


def test_training_is_drawn_from_its_first_transition_and_ends_when_the_window_is_closed(
    tmp_path: Path, window: Path
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ROS_DOMAIN_ID"}
    arguments = ["train", "--plot", "--run", "drawn", "--max-steps", "60", "--namespace", "lab"]
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert seen["drawn"] == [f"/lab/learner/status/{field}" for field in plotting.FIELDS[0].split()[1:]]
    assert seen["steps"] == [0, 60]
    assert seen["state"] == "inactive"
    assert "close the window, or press Ctrl-C" in done.stdout
    assert json.loads((tmp_path / "runs" / "drawn" / "summary.json").read_text())["env_steps"] == 60
