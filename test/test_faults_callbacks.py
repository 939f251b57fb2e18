"""Every callback of the simulator and of the learner raises: no force any more, an error told, and an end in order.

Those of the policy node are in test_policy_faults.py. What is started again after that is in test_faults_restarts.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import SetBool, Trigger

from node_processes import NodeProcess
from policies import RUN_ID, make_file
from robots import PATIENCE
from ros_world import RosWorld
from sac_control.errors import EXIT_SETTING, EXIT_START
from sac_control.nodes import topics
from sac_control.nodes.learner import LearnerNode
from sac_control.nodes.policy import PolicyNode
from sac_control.nodes.simulator import SimulatorNode
from sac_control.training.learner_config import LearnerConfig
from sac_control.training.training_run import TrainingRun
from test_node_learner import learner as learner_parameters
from test_node_learner import transition
from test_node_simulator import answer, stamp_of
from wire import credit_msg, transition_msg

LOCKSTEP = ("_on_action", "_on_credit", "_on_overdue", "_on_second", "_on_reset", "_on_pause")
REALTIME = ("_on_command", "_on_period")  # and those of lockstep but for two
LEARNER = ("_on_transition", "_on_policy_status", "_on_watch", "_on_second", "_on_save", "work")


def callbacks_of(node: Any) -> set[str]:
    """Names of all that the event loop may call."""
    found = [*node.subscriptions, *node.timers, *node.services]
    names = {getattr(each.callback, "__name__", "") for each in found}
    return {name for name in names if name.startswith("_on_")}


def test_every_callback_of_simulator_and_learner_is_among_those_that_are_made_to_raise(tmp_path: Path) -> None:
    parameters = learner_parameters(tmp_path)
    with RosWorld(learner=parameters) as ros:
        assert callbacks_of(ros.add(SimulatorNode)) == set(LOCKSTEP)
        assert callbacks_of(ros.add(LearnerNode)) == set(LEARNER) - {"work"}
    with RosWorld(simulator={"mode": "realtime"}) as ros:
        realtime = callbacks_of(ros.add(SimulatorNode))
        assert realtime == {*LOCKSTEP, *REALTIME} - {"_on_credit", "_on_overdue"}


class FaultyProcess(NodeProcess):
    """A node of which a callback raises."""

    def __init__(self, ros: RosWorld, *arguments: str) -> None:
        self._start(ros, [str(Path(__file__).with_name("faulty_node.py")), *arguments])


class Faulty:
    """A node with a callback that raises, and what is heard of it."""

    def __init__(self, ros: RosWorld, executable: str, callback: str, count: int, **parameters: object) -> None:
        self._ros = ros
        self.diagnostics = ros.hear(topics.DIAGNOSTICS)
        self.states = ros.hear(topics.JOINT_STATES)
        words = [word for name, value in parameters.items() for word in ("-p", f"{name}:={json.dumps(value)}")]
        self._process = FaultyProcess(ros, executable, callback, str(count), "--ros-args", *words)
        self._executable = executable

    def until_it_ends(self, provoke: Callable[[], object]) -> None:
        """Provoke the fault until the process has ended: in order, and not without a word."""

        def has_ended() -> bool:
            provoke()
            return self._process.exit_code is not None

        with self._process:
            self._ros.until(has_ended, "does not end", PATIENCE)
            assert self._process.exit_code == 1, "what ends so is started again"
        self._ros.until(self._is_told, "is not told", 10.0)

    def _is_told(self) -> bool:
        return any(
            status.level == DiagnosticStatus.ERROR and "injected" in status.message and self._executable in status.name
            for msg in self.diagnostics
            for status in msg.status
        )


@pytest.fixture
def ros() -> Any:
    with RosWorld() as world:
        yield world


def requests(ros: RosWorld, callback: str) -> Callable[[], object]:
    """Asks for the service behind `callback` again and again; nobody answers when it raises."""
    type_, name = {
        "_on_reset": (Trigger, topics.SIMULATOR_RESET),
        "_on_pause": (SetBool, topics.SIMULATOR_PAUSE),
        "_on_save": (Trigger, topics.LEARNER_SAVE),
    }.get(callback, (None, ""))
    if type_ is None:
        return lambda: None
    client = ros.probe.create_client(type_, name)
    return lambda: client.service_is_ready() and client.call_async(type_.Request())


@pytest.mark.parametrize("callback", LOCKSTEP)
def test_simulator_in_lockstep_whose_callback_raises_says_so_and_ends(ros: RosWorld, callback: str) -> None:
    faulty = Faulty(ros, "simulator", callback, 2)
    actions, credit = topics.publisher(ros.probe, topics.ACTION), topics.publisher(ros.probe, topics.CREDIT)
    transitions = ros.hear(topics.TRANSITIONS)
    request = requests(ros, callback)

    def provoke() -> None:
        request()
        if faulty.states:
            actions.publish(answer(stamp_of(faulty.states[-1]), 0.0))
        if transitions:
            credit.publish(credit_msg(transitions[-1].source, 3))

    faulty.until_it_ends(provoke)


@pytest.mark.parametrize("callback", REALTIME)
def test_simulator_in_realtime_whose_callback_raises_applies_no_force_any_more(ros: RosWorld, callback: str) -> None:
    faulty = Faulty(ros, "simulator", callback, 20, mode="realtime")
    commands = topics.publisher(ros.probe, topics.COMMANDS)
    left: dict[str, list[int]] = {"step": [], "fault": []}  # system time [ns] at which each left the process

    def on_transition(_: Any, info: Any) -> None:
        left["step"].append(info["source_timestamp"])

    def on_diagnostics(msg: Any, info: Any) -> None:
        if any("injected" in status.message for status in msg.status):
            left["fault"].append(info["source_timestamp"])

    on_transition.takes_info = on_diagnostics.takes_info = True  # type: ignore[attr-defined]  # see EventLoop
    for topic, listen in ((topics.TRANSITIONS, on_transition), (topics.DIAGNOSTICS, on_diagnostics)):
        ros.probe.create_subscription(topic.type, topic.name, listen, topic.publisher_qos)

    faulty.until_it_ends(lambda: commands.publish(Float64MultiArray(data=[5.0])))
    ros.until(lambda: left["fault"], "is not told")
    ros.spin_for(0.3)
    assert left["step"]
    assert max(left["step"]) <= min(left["fault"]), "nothing moves once the fault is told"


@pytest.mark.parametrize("callback", LEARNER)
def test_learner_whose_callback_raises_says_so_ends_and_can_be_resumed(
    tmp_path: Path, ros: RosWorld, callback: str
) -> None:
    parameters = learner_parameters(tmp_path)
    faulty = Faulty(ros, "learner", callback, 3, **parameters)
    transitions = topics.publisher(ros.probe, topics.TRANSITIONS)
    statuses = topics.publisher(ros.probe, topics.POLICY_STATUS)
    request = requests(ros, callback)
    sent: list[int] = []

    def provoke() -> None:
        request()
        if transitions.get_subscription_count():
            transitions.publish(transition_msg(transition(len(sent))))
            sent.append(len(sent))
            statuses.publish(topics.POLICY_STATUS.type(run_id=RUN_ID))

    faulty.until_it_ends(provoke)
    config = LearnerConfig.from_mapping({**parameters, "resume": True})
    training = TrainingRun(config, say=lambda _: None)
    assert 0 <= training.status().env_steps <= len(sent)
    training.close()


def test_node_that_cannot_begin_says_by_its_exit_code_that_another_one_could_not_either(
    tmp_path: Path, ros: RosWorld
) -> None:
    parameters = {**learner_parameters(tmp_path), "resume": True}  # there is nothing
    with NodeProcess(ros, "learner", **parameters) as hopeless, NodeProcess(ros, "policy", state_timeout=5.0) as wrong:
        ros.until(lambda: hopeless.exit_code is not None and wrong.exit_code is not None, "goes on", PATIENCE)
        assert hopeless.exit_code == EXIT_START
        assert wrong.exit_code == EXIT_SETTING


def test_policy_that_fails_beyond_its_guards_commands_zero_before_it_says_so(tmp_path: Path) -> None:
    """The way out that all nodes share, on the node where it matters most."""
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file().to_bytes())
    with RosWorld(policy={"policy_file": str(path)}) as ros:
        node = ros.add(PolicyNode)
        order: list[str] = []
        for publisher in node.publishers:
            if publisher.topic_name in ("/effort_controller/commands", "/diagnostics"):
                publisher.publish = lambda _, name=publisher.topic_name: order.append(name)
        node.fail("injected")
        assert order == ["/effort_controller/commands", "/diagnostics"]
