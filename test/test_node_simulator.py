from __future__ import annotations

import functools
import itertools
import math
import signal
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rclpy.impl.implementation_singleton import rclpy_implementation
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import SetBool, Trigger

from policies import SPECIFICATION, make_file
from robots import PolicyProcess
from ros_world import RosWorld
from sac_control.errors import ConfigError
from sac_control.nodes import messages, topics, transition_outlet
from sac_control.nodes.simulator import SimulatorNode
from sac_control.types import Action
from wire import action_msg, credit_msg
from withheld import Withheld, all_but_one

RCLError = rclpy_implementation.RCLError
VERSION = 7


def answer(stamp: int, effort: float) -> Any:
    action = Action(
        stamp=stamp,
        policy_version=VERSION,
        action=np.array([effort / 100.0], np.float32),
        command_raw=np.array([effort]),
        command=np.array([effort]),
    )
    return action_msg(action, mode=2)


def stamp_of(msg: Any) -> int:
    return messages.stamp_from_msg(msg.header.stamp)


def test_lockstep_applies_the_action_that_echoes_the_stamp_and_then_asks_again() -> None:
    with RosWorld(simulator={"flow_control": False}) as ros:
        states, transitions = ros.hear(topics.JOINT_STATES), ros.hear(topics.TRANSITIONS)
        ros.add(SimulatorNode)
        actions = ros.publisher(topics.ACTION)
        ros.until(lambda: states, "no state")
        first = stamp_of(states[0])
        actions.publish(answer(first, 30.0))
        ros.until(lambda: transitions and stamp_of(states[-1]) > first, "no transition and next state")
        transition = messages.transition_from_msg(transitions[0])
        assert transition.stamp == first
        assert transition.policy_version == VERSION
        assert (transition.sequence, transition.episode, transition.step) == (0, 0, 0)
        np.testing.assert_allclose(transition.action, [0.3], rtol=1e-6)
        assert transition.next_observation[1] > transition.observation[1]  # pushed to the right
        assert list(states[-1].name) == ["slider_to_cart", "cart_to_pendulum"]
        np.testing.assert_allclose(states[-1].position[0], transition.next_observation[0], atol=1e-6)


def test_sample_beyond_the_limit_travels_as_it_was_drawn_beside_the_action_that_was_applied() -> None:
    with RosWorld(simulator={"flow_control": False}) as ros:
        states, transitions = ros.hear(topics.JOINT_STATES), ros.hear(topics.TRANSITIONS)
        ros.add(SimulatorNode)
        ros.until(lambda: states, "no state")
        msg = answer(stamp_of(states[0]), 100.0)
        msg.action = [1.75]
        ros.publisher(topics.ACTION).publish(msg)
        ros.until(lambda: transitions, "no transition")
        assert (list(transitions[0].action), list(transitions[0].action_raw)) == ([1.0], [1.75])


def test_lockstep_ignores_an_action_with_another_stamp() -> None:
    with RosWorld(simulator={"flow_control": False}) as ros:
        states, transitions = ros.hear(topics.JOINT_STATES), ros.hear(topics.TRANSITIONS)
        ros.add(SimulatorNode)
        actions = ros.publisher(topics.ACTION)
        ros.until(lambda: states, "no state")
        actions.publish(answer(stamp_of(states[0]) + 1, 30.0))
        actions.publish(answer(stamp_of(states[0]), math.nan))
        ros.spin_for(0.3)
        assert not transitions
        actions.publish(answer(stamp_of(states[0]), 30.0))
        ros.until(lambda: transitions, "the right answer was not taken")


def test_lockstep_asks_again_for_a_lost_answer_and_counts_it() -> None:
    with RosWorld(simulator={"flow_control": False, "answer_timeout": 0.05}) as ros:
        states, transitions = ros.hear(topics.JOINT_STATES), ros.hear(topics.TRANSITIONS)
        diagnostics = ros.hear(topics.DIAGNOSTICS)
        ros.add(SimulatorNode)
        actions = ros.publisher(topics.ACTION)
        ros.until(lambda: len(states) >= 3, "the question was not repeated")
        assert len({stamp_of(state) for state in states}) == 1
        actions.publish(answer(stamp_of(states[0]), 0.0))
        actions.publish(answer(stamp_of(states[0]), 0.0))
        ros.until(lambda: transitions, "no transition")
        ros.spin_for(0.2)
        assert len(transitions) == 1

        def resent() -> int:
            values = {value.key: value.value for value in diagnostics[-1].status[0].values} if diagnostics else {}
            return int(values.get("resent_states", 0))

        ros.until(lambda: resent() >= 2, "repetitions were not counted")


def answer_all(ros: RosWorld) -> tuple[list[Any], list[Any]]:
    """A peer that answers every state with no force; states and transitions heard."""
    actions: list[Any] = []
    states = ros.hear(topics.JOINT_STATES, lambda state: actions[0].publish(answer(stamp_of(state), 0.0)))
    transitions = ros.hear(topics.TRANSITIONS)
    actions.append(topics.publisher(ros.probe, topics.ACTION))
    ros.add(SimulatorNode)
    return states, transitions


def test_lockstep_sends_no_more_transitions_than_credit_allows() -> None:
    with RosWorld() as ros:
        _, transitions = answer_all(ros)
        credit = ros.publisher(topics.CREDIT)
        ros.until(lambda: transitions, "the first transition needs no credit")
        credit.publish(credit_msg(transitions[0].source, 20))
        ros.until(lambda: transitions[-1].sequence == 19, "credit was not used")
        ros.spin_for(0.3)
        assert transitions[-1].sequence == 19
        credit.publish(credit_msg(transitions[0].source, 25))
        ros.until(lambda: transitions[-1].sequence == 24, "more credit was not used")
        assert sorted({transition.sequence for transition in transitions}) == list(range(25))


def test_lockstep_without_credit_sends_its_last_transition_again_so_that_a_restarted_learner_hears_of_it() -> None:
    with RosWorld() as ros:
        _, transitions = answer_all(ros)
        ros.until(lambda: len(transitions) >= 3, "no probes")
        assert {transition.sequence for transition in transitions} == {0}
        ros.publisher(topics.CREDIT).publish(credit_msg(transitions[0].source, 2))
        ros.until(lambda: transitions[-1].sequence == 1, "did not go on")


def test_episodes_are_numbered_and_each_transition_follows_the_one_before() -> None:
    with RosWorld(simulator={"flow_control": False}) as ros:
        _, heard = answer_all(ros)
        ros.until(lambda: heard and heard[-1].episode == 2, "no third episode")
        transitions = [messages.transition_from_msg(msg) for msg in heard]
        assert [transition.sequence for transition in transitions] == list(range(len(transitions)))
        for before, after in itertools.pairwise(transitions):
            assert after.stamp > before.stamp
            if before.terminated:
                assert (after.episode, after.step) == (before.episode + 1, 0)
            else:
                assert (after.episode, after.step) == (before.episode, before.step + 1)
                np.testing.assert_array_equal(after.observation, before.next_observation)


def test_pause_stops_time_and_reset_starts_another_episode() -> None:
    with RosWorld(simulator={"flow_control": False}) as ros:
        _, transitions = answer_all(ros)
        ros.until(lambda: transitions, "no transitions")
        assert ros.call(SetBool, topics.SIMULATOR_PAUSE, SetBool.Request(data=True)).message == "paused"
        ros.spin_for(0.2)
        count, episode = len(transitions), transitions[-1].episode
        ros.spin_for(0.2)
        assert len(transitions) == count
        assert ros.call(Trigger, topics.SIMULATOR_RESET, Trigger.Request()).success
        ros.call(SetBool, topics.SIMULATOR_PAUSE, SetBool.Request(data=False))
        ros.until(lambda: len(transitions) > count, "did not go on")
        assert transitions[count].step == 0
        assert transitions[count].episode > episode


def test_realtime_holds_the_last_command_and_falls_to_zero_when_it_is_too_old() -> None:
    with RosWorld(simulator={"mode": "realtime", "command_timeout": 0.2, "real_time_factor": 0.5}) as ros:
        transitions = ros.hear(topics.TRANSITIONS)
        ros.add(SimulatorNode)
        commands = ros.publisher(topics.COMMANDS)
        ros.spin_for(0.1)
        assert not transitions  # time begins with the first command

        def is_held() -> bool:
            commands.publish(Float64MultiArray(data=[5.0]))
            return any(transition.action[0] != 0.0 for transition in transitions)

        ros.until(is_held, "no command was applied")
        applied = {round(float(transition.action[0]), 6) for transition in transitions}
        assert applied <= {0.05, 0.0}
        ros.until(lambda: len(transitions) > 20 and not any(t.action[0] for t in transitions[-20:]), "no zero")
        ros.spin_for(0.3)
        assert not any(transition.action[0] for transition in transitions[-20:])  # and zero for good


def test_realtime_takes_a_command_that_waited_while_the_process_stalled_as_no_command() -> None:
    timeout = 0.05
    with RosWorld(simulator={"mode": "realtime", "command_timeout": timeout}) as ros:
        transitions = ros.hear(topics.TRANSITIONS)
        ros.add(SimulatorNode)
        commands = ros.publisher(topics.COMMANDS)

        def is_held() -> bool:
            commands.publish(Float64MultiArray(data=[5.0]))
            return any(transition.action[0] != 0.0 for transition in transitions)

        ros.until(is_held, "no command was applied")
        for _ in range(5):
            ros.until(lambda: not transitions[-1].action[0], "no zero")
            commands.publish(Float64MultiArray(data=[5.0]))
            time.sleep(2.0 * timeout)  # nothing is served meanwhile
            count = len(transitions)
            ros.until(lambda count=count: len(transitions) > count + 10, "time does not pass")  # type: ignore[misc]
            assert not any(transition.action[0] for transition in transitions[count:])
        transitions.clear()
        ros.until(is_held, "a fresh command is not applied")


def is_moved(heard: list[tuple[float, bool]], count: int) -> bool:
    """Whether a force was applied after the first `count` periods."""
    return any(moved for _, moved in heard[count:])


@pytest.mark.parametrize("number", [pytest.param(signal.SIGKILL, marks=pytest.mark.long), signal.SIGSTOP])
def test_realtime_zeroes_the_force_when_the_policy_process_is_killed_or_frozen(
    tmp_path: Path,
    machine: Withheld,
    number: signal.Signals,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    """The second watchdog: it needs no policy process. The force of every period is in its transition.

    When it was applied is in there, too: a transition may be heard late, where the middleware lost a neighbour.
    """
    path = tmp_path / "policy.safetensors"
    path.write_bytes(make_file().to_bytes())
    timeout, ends = 0.05, []
    epoch = time.time() - time.monotonic()  # [s] in which steady time begins
    with RosWorld(simulator={"mode": "realtime", "command_timeout": timeout}) as ros:
        heard: list[tuple[float, bool]] = []  # steady time at the end of a period, whether a force was applied in it

        def note(msg: Any) -> None:
            heard.append((1e-9 * stamp_of(msg) + msg.duration - epoch, msg.action[0] != 0.0))

        ros.hear(topics.TRANSITIONS, note)
        ros.add(SimulatorNode)
        for _ in range(5 if number == signal.SIGKILL else 1):
            with PolicyProcess(ros, policy_file=path) as policy:
                for _ in range(1 if number == signal.SIGKILL else 5):
                    count = len(heard)
                    ros.until(functools.partial(is_moved, heard, count), "nothing moves")
                    ended = policy.send(number)
                    count = len(heard)
                    ros.until(lambda count=count: len(heard) > count + 20, "physics does not go on")  # type: ignore[misc]
                    ends.append((ended, max((when for when, moved in heard[count:] if moved), default=ended)))
                    if number == signal.SIGSTOP:
                        policy.send(signal.SIGCONT)
        delays = [machine.given(ended, last) for ended, last in ends]
    record_testsuite_property(
        "end of the policy to the last force [s]", f"median {statistics.median(delays):.4f}, largest {max(delays):.4f}"
    )
    assert all_but_one(delays) <= timeout + SPECIFICATION.control_period


def test_realtime_counts_the_periods_whose_state_was_not_answered_in_time() -> None:
    with RosWorld(simulator={"mode": "realtime", "real_time_factor": 0.5}) as ros:
        diagnostics, transitions = ros.hear(topics.DIAGNOSTICS), ros.hear(topics.TRANSITIONS)
        states = ros.hear(topics.JOINT_STATES)
        ros.add(SimulatorNode)
        commands, actions = ros.publisher(topics.COMMANDS), ros.publisher(topics.ACTION)

        def count(name: str) -> int:
            values = {value.key: value.value for value in diagnostics[-1].status[0].values} if diagnostics else {}
            return int(values.get(name, 0))

        commands.publish(Float64MultiArray(data=[0.0]))
        ros.until(lambda: len(transitions) > 5 and count("transitions") > 5, "time does not pass")
        assert count("unanswered_periods") == 0  # by a controller that publishes no actions, nobody can tell
        actions.publish(answer(stamp_of(states[-1]), 0.0))
        ros.until(lambda: count("unanswered_periods") > 3, "periods without an action are not counted")


def test_realtime_at_one_kilohertz_counts_each_period_once_as_made_late_or_given_up() -> None:
    with RosWorld(simulator={"mode": "realtime", "real_time_factor": 16.5}) as ros:
        diagnostics, transitions = ros.hear(topics.DIAGNOSTICS), ros.hear(topics.TRANSITIONS)
        node = ros.add(SimulatorNode)
        commands = ros.publisher(topics.COMMANDS)
        (outlet,) = (each for each in node.publishers if each.topic_name.endswith(topics.TRANSITIONS.name))
        ros.until(lambda: outlet.get_subscription_count() > 0, "nobody hears the first transitions")
        commands.publish(Float64MultiArray(data=[0.0]))
        ros.until(lambda: len(transitions) > 1000, "time does not pass")
        ros.until(lambda: diagnostics, "no diagnostics")
        values = {value.key: value.value for value in diagnostics[-1].status[0].values}
        assert 0 <= int(values["overruns"]) <= int(values["late_periods"])
        assert [transition.sequence for transition in transitions] == list(range(len(transitions)))


@pytest.mark.parametrize("data", [[math.nan], [math.inf], [1.0, 2.0], []])
def test_realtime_takes_a_command_that_cannot_be_used_as_no_command(data: list[float]) -> None:
    with RosWorld(simulator={"mode": "realtime", "command_timeout": 0.1, "real_time_factor": 0.5}) as ros:
        transitions = ros.hear(topics.TRANSITIONS)
        ros.add(SimulatorNode)
        commands = ros.publisher(topics.COMMANDS)
        commands.publish(Float64MultiArray(data=[5.0]))
        ros.until(lambda: transitions, "no transitions")

        def go_on() -> bool:
            commands.publish(Float64MultiArray(data=data))
            return bool(transitions[-1].action[0] == 0.0)

        ros.until(go_on, "unusable commands kept the old one alive")


def test_a_namespace_moves_every_topic_but_those_that_ros_shares() -> None:
    with RosWorld(namespace="/robot") as ros:
        node = ros.add(SimulatorNode)
        published = node.get_publisher_names_and_types_by_node("simulator", "/robot")
        heard = node.get_subscriber_names_and_types_by_node("simulator", "/robot")
        names = {name for name, _ in published + heard} - {"/diagnostics", "/rosout", "/parameter_events"}
        own = ("joint_states", "transitions", "policy/action", "learner/credit")
        joints = ("joint/slider_to_cart", "joint/cart_to_pendulum")
        assert names == {f"/robot/{name}" for name in (*own, *joints)}


def test_every_parameter_has_a_description_and_a_range_and_cannot_be_changed_while_it_runs() -> None:
    with RosWorld() as ros:
        node = ros.add(SimulatorNode)
        descriptor = node.describe_parameter("command_timeout")
        assert "the safe command is applied" in descriptor.description
        assert descriptor.floating_point_range[0].to_value == 0.2
        assert descriptor.read_only


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"real_time_facto": 2.0}, "did you mean real_time_factor"),
        ({"mode": "lockstp"}, "expected one of lockstep, realtime"),
        ({"command_timeout": 5.0}, "from 0.001 to 0.2"),
        ({"task": "inverted_pendulums"}, "did you mean inverted_pendulum"),
        ({"seed": "many"}, "expected a whole number"),
    ],
)
def test_a_bad_parameter_is_refused_with_what_is_allowed(parameters: dict[str, object], sentence: str) -> None:
    with RosWorld(simulator=parameters) as ros, pytest.raises(ConfigError, match=sentence):
        ros.add(SimulatorNode)


def test_transitions_that_the_middleware_refuses_are_sent_later_and_control_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transition_outlet, "REFUSAL_PERIOD", 0.1)
    with RosWorld(simulator={"mode": "realtime"}) as ros:
        states, transitions = ros.hear(topics.JOINT_STATES), ros.hear(topics.TRANSITIONS)
        node = ros.add(SimulatorNode)
        ros.publisher(topics.COMMANDS).publish(Float64MultiArray(data=[0.0]))
        ros.until(lambda: len(transitions) > 5, "time does not pass")
        publish, refused = node._transitions.publisher.publish, 0

        def refuse(_: Any) -> None:
            nonlocal refused
            refused += 1
            raise RCLError("cannot publish data")

        monkeypatch.setattr(node._transitions.publisher, "publish", refuse)
        count, steps = len(states), node._runner.sequence
        ros.until(lambda: refused > 2, "it is not tried again")
        assert len(states) - count > refused
        assert node._runner.sequence > steps + refused
        monkeypatch.setattr(node._transitions.publisher, "publish", publish)
        made = node._runner.sequence
        ros.until(lambda: transitions[-1].sequence > made, "those refused are not sent later")
        assert [transition.sequence for transition in transitions] == list(range(transitions[-1].sequence + 1))
        assert node._losses()["refused_messages"] == refused
