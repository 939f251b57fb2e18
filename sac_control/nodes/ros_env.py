"""A simulator node as an environment of Gymnasium, so that any library trains through ROS. Never a robot."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ClosedEnvironmentError, InvalidAction, ResetNeeded
from gymnasium.spaces import Box
from numpy.typing import NDArray

from sac_control.envs.registry import make_robot_env
from sac_control.errors import ConfigError
from sac_control.nodes.simulator_client import SimulatorClient
from sac_control.policy.admission import Admission
from sac_control.policy.policy_config import PolicyConfig
from sac_control.tasks.catalogue import make_task
from sac_control.types import Float32Array, JointState, Transition


class RosEnv(gymnasium.Env[Float32Array, Float32Array]):
    """The topics of a simulator node, in the place of policy node and learner.

    Its observations, rewards and ends of episodes are those of the transitions that the simulator publishes. A step in
    lockstep is one control period. In realtime physics goes on while a library computes: a step then ends with the
    first period that the action could have taken part in, its reward is the sum over all periods since the step before
    (``info["periods"]``), and ``info["applied_action"]``, (a,) float32, is what moved the robot in the last of them.
    An episode begins there with one period without a command.

    Start states are drawn from the simulator's own seed: `reset(seed=…)` seeds what a library draws from this object,
    and no more.

    Args:
        task: that the simulator simulates: a name, a task file, or gymnasium/ID.
        namespace: of its node, such as "/training".
        domain_id: its ROS domain; None takes ROS_DOMAIN_ID.
        render_mode: "rgb_array" lets `render` return pictures, drawn here from the joint states; None does not.
        timeout: [s] after which something that should have come will not come.

    Raises:
        ConfigError: there is no simulator of sac_control, it stands in for a robot, somebody else commands it, or the
            task has no joints that could be drawn.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 50}  # noqa: RUF012  as Gymnasium has it

    def __init__(
        self,
        task: str = "inverted_pendulum",
        *,
        namespace: str = "",
        domain_id: int | None = None,
        render_mode: str | None = None,
        timeout: float = 10.0,
    ) -> None:
        if render_mode not in (None, "rgb_array"):
            raise ConfigError(f"render mode {render_mode!r} is not known: expected rgb_array, or None")
        known = make_task(task)
        specification = known.specification
        if render_mode is not None and not specification.has_joints:
            raise ConfigError(f"{task} has no joints that pictures could be drawn from: leave render_mode out")
        self.render_mode = render_mode
        self.metadata = {**self.metadata, "render_fps": round(1.0 / specification.control_period)}
        self.observation_space = Box(-np.inf, np.inf, (len(specification.observation),), np.float32)
        self.action_space = Box(-1.0, 1.0, (len(specification.command_limit),), np.float32)
        self._picture = make_robot_env(task, render_mode="rgb_array") if render_mode else None
        self._still: Float32Array = np.zeros(self.action_space.shape, np.float32)
        namespace = f"/{namespace.strip('/')}" if namespace.strip("/") else ""
        self._simulator = SimulatorClient(known, namespace, domain_id, timeout)
        # As the policy node of a run observes.
        config = dataclasses.replace(PolicyConfig(), task=specification.task, lockstep=True)
        self._admission = Admission(config, time.time_ns)
        self._admission.fit(specification)
        self._stamp = 0  # [ns] of the state that the next action answers
        self._is_running = self._is_closed = self._is_fresh = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float32Array, dict[str, Any]]:
        """Begin an episode; there are no options.

        Raises:
            ConfigError: an option was given.
            StateError: the simulator does not answer.
            ClosedEnvironmentError: the environment was closed.
        """
        self._check_open()
        if options:
            raise ConfigError(f"reset has no option {next(iter(options))!r}: start states are the simulator's")
        super().reset(seed=seed)
        self._is_running = False
        observation = self._begin_in_realtime() if self._simulator.is_realtime else self._begin()
        self._is_running, self._is_fresh = True, False
        return observation, {}

    def step(self, action: Float32Array) -> tuple[Float32Array, float, bool, bool, dict[str, Any]]:
        """Command `action`, (a,) in [-1, 1], beyond which it is clipped.

        Raises:
            InvalidAction: it has the wrong shape or a value that is not finite.
            ResetNeeded: the episode has ended, or none has begun.
            StateError: the simulator does not answer; then `reset` is needed.
        """
        self._check_open()
        chosen: Float32Array = np.asarray(action, np.float32)
        if chosen.shape != self.action_space.shape or not np.isfinite(chosen).all():
            raise InvalidAction(f"action is {chosen!r:.200}: expected {self.action_space.shape} finite numbers")
        if not self._is_running:
            raise ResetNeeded("the episode has ended, or none has begun: call reset() before step()")
        self._is_running = False  # unless all goes well
        passed = self._pass(chosen)
        last = passed[-1]
        ended = last.terminated or last.truncated
        if not ended:
            self._wait_for_state(after=last.stamp)
        self._is_running, self._is_fresh = not ended, ended
        info = {"periods": len(passed), "applied_action": last.action}
        return last.next_observation, sum(each.reward for each in passed), last.terminated, last.truncated, info

    def render(self) -> NDArray[np.uint8] | None:  # type: ignore[override]
        """The newest joint state as a picture, (height, width, 3) uint8, in mode "rgb_array"; otherwise nothing."""
        self._check_open()
        state = self._simulator.state
        if self._picture is None or not isinstance(state, JointState):
            return None
        places = [state.names.index(joint) for joint in self._picture.specification.joints]
        start = np.column_stack([state.position[places], state.velocity[places]]).ravel()
        self._picture.reset(options={"state": start})
        return self._picture.render()

    def close(self) -> None:
        """Leave the domain; closing twice is allowed. The simulator goes on waiting for the next answer."""
        if not self._is_closed:
            self._is_closed, self._is_running = True, False
            self._simulator.close()
            if self._picture is not None:
                self._picture.close()

    def _begin(self) -> Float32Array:
        """Lockstep: the first state of an episode."""
        simulator = self._simulator
        if not self._is_fresh:
            simulator.wait(lambda: simulator.state is not None, "a first state")
            simulator.hear()
            assert simulator.state is not None
            self._stamp = simulator.state.stamp
            simulator.reset()
        self._wait_for_state(after=self._stamp)
        simulator.transitions.clear()
        self._admission.begin_anew()
        assert simulator.state is not None
        self._admission.admit(simulator.state, np.inf, is_fresh=True)
        return self._admission.observation.copy()

    def _begin_in_realtime(self) -> Float32Array:
        """Realtime: the end of an episode's first period."""
        simulator = self._simulator
        simulator.wait(lambda: simulator.state is not None, "a first state")
        simulator.reset()
        simulator.hear()
        simulator.transitions.clear()

        def begun() -> bool:
            assert simulator.state is not None
            simulator.act(simulator.state.stamp, self._still)  # before a first command physics stands still
            while simulator.transitions and simulator.transitions[0].step:
                simulator.transitions.popleft()
            return bool(simulator.transitions)

        simulator.wait(begun, "an episode's first transition")
        first = simulator.transitions.popleft()
        self._wait_for_state(after=first.stamp)
        return first.next_observation

    def _pass(self, action: Float32Array) -> list[Transition]:
        """Command `action`; the transitions since the step before, up to one that ends the episode."""
        simulator, stamp = self._simulator, self._stamp
        passed: list[Transition] = []

        def is_over() -> bool:
            while simulator.transitions:
                passed.append(each := simulator.transitions.popleft())
                if each.stamp >= stamp or each.terminated or each.truncated:
                    return True
            return False

        if simulator.is_realtime:
            simulator.hear()
            if is_over() and (passed[-1].terminated or passed[-1].truncated):
                return passed
            assert simulator.state is not None
            stamp = simulator.state.stamp
        simulator.act(stamp, action)
        simulator.wait(is_over, "the transition of a step", remind=lambda: simulator.act(stamp, action))
        return passed

    def _wait_for_state(self, after: int) -> None:
        simulator = self._simulator
        simulator.wait(lambda: simulator.state is not None and simulator.state.stamp > after, "the next state")
        assert simulator.state is not None
        self._stamp = simulator.state.stamp

    def _check_open(self) -> None:
        if self._is_closed:
            raise ClosedEnvironmentError("this environment was closed: make a new one")
