"""The far side of a simulator node: finds it, sees that it is one, commands it and hears its states and transitions.

Nothing else is ever commanded: a simulator of a run obeys answers on policy/action that name the run and the stamp of
its state, which no robot listens to.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import rclpy
from rcl_interfaces.msg import ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_srvs.srv import Trigger

from sac_control.errors import ConfigError, StateError
from sac_control.identity import frame_id, parts_of_frame
from sac_control.nodes import messages, middleware, topics
from sac_control.nodes.event_loop import EventLoop
from sac_control.policy.safety import Mode
from sac_control.tasks.task import Task
from sac_control.types import Action, Float32Array, FloatArray, Signals, Transition

UNLIMITED = 2**63 - 1  # credit: whoever waits for each transition needs none
_ASK_AGAIN = 1.0  # [s] without an answer after which a question is asked again
_REMINDER = 0.5  # [s] without progress after which credit and action are sent again
_SETTINGS = ("run_id", "task", "mode")  # parameters of a simulator node


class SimulatorClient:
    """One simulator node, from the place of its policy node and learner.

    Args:
        task: that it must simulate.
        namespace: of its node, "" or "/name".
        domain_id: ROS domain; None takes that of the environment.
        timeout: [s] after which something that should have come will not come.

    Attributes:
        is_realtime: whether its time waits for nobody.
        state: the newest state; None before the first.

    Raises:
        ConfigError: there is no simulator, or it stands in for a robot.
    """

    def __init__(self, task: Task, namespace: str, domain_id: int | None, timeout: float) -> None:
        self._task, self._timeout = task, timeout
        self._limit = np.array(task.specification.command_limit)
        self._context = rclpy.Context()
        middleware.init(context=self._context, domain_id=domain_id)
        self._node = Node("ros_env", namespace=namespace, context=self._context, use_global_arguments=False)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self.state: Signals | None = None
        self.transitions: deque[Transition] = deque()
        self._heard: tuple[int, int] | None = None  # source and sequence of the newest transition
        try:
            self._run_id, self.is_realtime = self._find()
        except BaseException:
            self.close()
            raise
        self._frame = frame_id(self._run_id, task.specification.hash)
        self._is_mismatched = False  # what the simulator sends is of another task
        self._msg = topics.ACTION.type(run_id=self._run_id)
        messages.mark_action_msg(self._msg, task.specification)
        self._actions = topics.publisher(self._node, topics.ACTION)
        self._credit = topics.publisher(self._node, topics.CREDIT)
        shown = topics.JOINT_STATES if task.specification.has_joints else topics.OBSERVATION
        qos = shown.publisher_qos  # reliable, and misses none
        self._node.create_subscription(shown.type, shown.name, self._on_state, qos)
        topics.subscription(self._node, topics.TRANSITIONS, self._on_transition)
        self._resets = self._node.create_client(Trigger, topics.SIMULATOR_RESET)
        self._started = time.time_ns()
        self._loop = EventLoop(self._node)

    def act(self, stamp: int, action: Float32Array) -> None:
        """Answer the state with `stamp` [ns] by `action`, (a,), of which the command is the part within [-1, 1]."""
        raw: FloatArray = self._limit * action.astype(np.float64)
        command: FloatArray = np.clip(raw, -self._limit, self._limit)
        answer = Action(stamp=stamp, policy_version=0, action=action, command_raw=raw, command=command)
        self._actions.publish(messages.action_to_msg(answer, Mode.ACTIVE, self._msg))

    def reset(self) -> None:
        """Have the simulator abandon its episode and begin another.

        Raises:
            StateError: it does not answer.
        """
        if not self._resets.wait_for_service(timeout_sec=self._timeout):
            raise StateError(f"the simulator has gone: no service {self._resets.srv_name} for {self._timeout:g} s")
        self._call(self._resets, Trigger.Request())

    def wait(self, is_there: Callable[[], object], what: str, remind: Callable[[], None] = lambda: None) -> None:
        """Hear messages until `is_there`; `remind` is called when nothing has come for a while.

        Raises:
            StateError: it did not come in time.
            ConfigError: the simulator simulates another task, or somebody else commands it.
        """
        deadline = time.monotonic() + self._timeout
        reminder = time.monotonic() + _REMINDER
        while not is_there():
            now = time.monotonic()
            if self._is_mismatched:
                raise ConfigError(
                    f"the simulator simulates {self._simulated}, this is {self._task.specification.task}: they differ, "
                    "start either with the task and the version of sac_control of the other"
                )
            if now > deadline:
                self._check_rivals()
                raise StateError(
                    f"{what} did not come from the simulator within {self._timeout:g} s: see that it runs and is not "
                    "paused, then reset"
                )
            if now > reminder:
                reminder = now + _REMINDER
                self._grant()
                remind()
            self._loop.spin_once(min(0.1, deadline - now))

    def hear(self) -> None:
        """Take what has come, without waiting."""
        while self._loop.spin_once(0.0):
            pass

    def close(self) -> None:
        """Leave the domain."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    # what it is

    def _find(self) -> tuple[str, bool]:
        """Run id of the simulator, and whether it runs in realtime."""
        where = self._node.resolve_service_name("simulator")  # name of the node, as a service's would be
        asked = self._node.create_client(GetParameters, f"{where}/get_parameters")
        if not asked.wait_for_service(timeout_sec=self._timeout):
            raise ConfigError(
                f"no simulator of sac_control at {where}{self._robot()}: start it with -p run_id:=(32 hexadecimal "
                "digits), in this ROS_DOMAIN_ID and namespace"
            )
        values = self._call(asked, GetParameters.Request(names=list(_SETTINGS)), is_repeatable=True).values
        self._node.destroy_client(asked)
        if any(value.type != ParameterType.PARAMETER_STRING for value in values) or len(values) != len(_SETTINGS):
            raise ConfigError(f"{where} is not a simulator of sac_control: it has no parameters {', '.join(_SETTINGS)}")
        run_id, task, mode = map(_text, values)
        if not run_id:
            raise ConfigError(
                f"{where} stands in for a robot, because its run_id is empty, and robots are not commanded from here: "
                "start it with -p run_id:=(32 hexadecimal digits)"
            )
        self._check_rivals()
        self._simulated = task
        return run_id, mode == "realtime"

    def _robot(self) -> str:
        """Who publishes joint states without being a simulator, in a part of a sentence."""
        found = self._node.get_publishers_info_by_topic(self._node.resolve_topic_name(topics.JOINT_STATES.name))
        names = sorted({each.node_name for each in found})
        return f", but {', '.join(names)} publishes joint_states: a robot is not driven from here" if names else ""

    def _check_rivals(self) -> None:
        """See that nobody else answers.

        Raises:
            ConfigError: somebody does.
        """
        topic = self._node.resolve_topic_name(topics.ACTION.name)
        rivals = sorted(
            {each.node_name for each in self._node.get_publishers_info_by_topic(topic)} - {self._node.get_name()}
        )
        if rivals:
            raise ConfigError(f"{', '.join(rivals)} publishes {topic}, too: two cannot command one simulator; stop one")

    def _call(self, client: Any, request: Any, *, is_repeatable: bool = False) -> Any:
        """The response; one that comes before both sides know each other is lost, so what may be asked again is."""
        deadline = time.monotonic() + self._timeout
        while time.monotonic() < deadline:
            future = client.call_async(request)
            patience = min(_ASK_AGAIN, self._timeout) if is_repeatable else self._timeout
            self._executor.spin_until_future_complete(future, timeout_sec=patience)
            if future.done():
                return future.result()
        raise StateError(f"no response from {client.srv_name} within {self._timeout:g} s: see that it runs")

    # what it says

    def _on_state(self, msg: Any) -> None:
        has_joints = self._task.specification.has_joints
        state = messages.state_from_msg(msg) if has_joints else messages.observation_from_msg(msg)
        if state.frame == self._frame:
            self.state = state
        elif parts_of_frame(state.frame)[0] == self._run_id:
            self._is_mismatched = True

    def _on_transition(self, msg: Any) -> None:
        if msg.run_id != self._run_id:
            return  # of another simulator
        if msg.task_hash != self._task.hash:
            self._is_mismatched = True
            return
        transition = messages.transition_from_msg(msg)
        heard = transition.source, transition.sequence
        if self._heard is None or heard[0] != self._heard[0]:
            self._heard = heard
            self._grant()
        elif heard[1] <= self._heard[1]:
            return  # a probe: the last one once more
        self._heard = heard
        self.transitions.append(transition)

    def _grant(self) -> None:
        if self._heard is None:
            return
        until = {self._heard[0]: UNLIMITED}
        self._credit.publish(messages.credit_to_msg(until, self._run_id, self._started, time.time_ns()))


def _text(value: ParameterValue) -> str:
    return str(value.string_value)
