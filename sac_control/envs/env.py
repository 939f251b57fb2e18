"""Env: a robot's task in a world. Counts the steps of an episode and knows when it has ended."""

from __future__ import annotations

import copy
import math
from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.spaces import Box
from gymnasium.utils import EzPickle
from numpy.typing import ArrayLike, NDArray

from sac_control.envs.environment import Environment, Start, StepResult
from sac_control.envs.pacer import Pacer
from sac_control.envs.start_points import extreme, stratified
from sac_control.errors import ConfigError, StateError
from sac_control.expression import SignalMemory
from sac_control.observation import Observer
from sac_control.option import suggest
from sac_control.tasks.robot_task import RobotTask
from sac_control.types import Float32Array, FloatArray, JointState
from sac_control.worlds.catalogue import make_world

RENDER_MODES = ("human", "rgb_array")
_RESET_OPTIONS = ("state",)


class Env(Environment, EzPickle):
    """A robot's task in a world of its own; a copy has an engine of its own, too.

    Observations are made by the same `Observer` that a policy node uses. Where a term looks back beyond the start of an
    episode, the robot has stood at the start without an action.

    Args:
        task: what is asked.
        engine: name of the physics engine; empty: the task's own.
        render_mode: "human" opens a window, "rgb_array" lets `render` return pictures, None does neither.
        max_episode_steps: steps until an episode is truncated; None never truncates.
        is_paced: in a window, let `step` last a control period, so that people see real time.

    Raises:
        ConfigError: the render mode is unknown, or no window can be opened.
    """

    # Before there is a task; each environment has the frequency of its own.
    metadata: dict[str, Any] = {"render_modes": list(RENDER_MODES), "render_fps": 60}  # noqa: RUF012  as Gymnasium has it

    def __init__(
        self,
        task: RobotTask,
        *,
        engine: str = "",
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        is_paced: bool = True,
    ) -> None:
        if render_mode is not None and render_mode not in RENDER_MODES:
            raise ConfigError(f"render mode {render_mode!r} is not known; {suggest(render_mode, RENDER_MODES)}")
        engine = engine or task.engine
        EzPickle.__init__(
            self,
            task,
            engine=engine,
            render_mode=render_mode,
            max_episode_steps=max_episode_steps,
            is_paced=is_paced,
        )
        self.task: RobotTask = task
        self.engine = engine
        self.render_mode = render_mode
        self.max_episode_steps = max_episode_steps
        self.specification = task.specification
        self.metadata = {**self.metadata, "render_fps": round(1.0 / task.specification.control_period)}
        self._limits = task.specification.command_limit
        self._observer = Observer(
            self.specification.observation, self.specification.joints, self.specification.actuated_joints
        )
        self._memory = SignalMemory(max(task.memory, self._observer.memory), task.layout)
        self.observation_space = Box(-np.inf, np.inf, (self._observer.size,), np.float32)
        self.action_space = Box(-1.0, 1.0, (len(self._limits),), np.float32)
        self._still = [0.0] * len(self._limits)  # the actions before an episode
        self._world = make_world(engine, task.robot(engine), has_window=render_mode == "human")
        self._pacer = Pacer(self.specification.control_period) if render_mode == "human" and is_paced else None
        self._steps = 0
        self._is_running = False
        self._is_closed = False

    def __deepcopy__(self, memo: dict[int, Any]) -> Env:
        """An environment in the same state, with the same random numbers to come, in an engine of its own.

        Raises:
            ConfigError: this one is shown in a window: there can be no second.
            ClosedEnvironmentError: the environment was closed.
        """
        self._check_open()
        copied = type(self).__new__(type(self))
        memo[id(self)] = copied
        memo |= {id(shared): shared for shared in (self.task, self.specification)}  # they have no memory
        vars(copied).update({name: copy.deepcopy(value, memo) for name, value in vars(self).items()})
        return copied

    def __copy__(self) -> Env:
        """The same: one that shares the engine would move it."""
        return copy.deepcopy(self)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float32Array, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: makes this start and all later ones repeatable.
            options: ``{"state": state}`` starts from `state`, (2j,), e.g. ``[x, vx, θ, θ̇]``, instead of a random one.

        Raises:
            ConfigError: an option is unknown.
            StateError: the state has the wrong size or a value that is not finite.
            ClosedEnvironmentError: the environment was closed.
        """
        self._check_open()
        gymnasium.Env.reset(self, seed=seed)
        for name in options or {}:
            if name not in _RESET_OPTIONS:
                raise ConfigError(f"reset option {name!r} is not known; {suggest(name, _RESET_OPTIONS)}")
        if options and "state" in options:
            start = self._checked_state(options["state"])
        else:
            start = self.task.sample_start(self.np_random)
        self._world.reset(start.tolist())
        self._memory.start(self._row(self._still))
        self._steps = 0
        self._is_running = True
        if self._pacer is not None:
            self._pacer.restart()
        return self._observe(), {}

    def step(self, action: Float32Array) -> StepResult:
        """Apply `action`, (a,), for one control period.

        Returns:
            observation (o,) float32, reward, terminated, truncated, and an empty dictionary.

        Raises:
            InvalidAction: the action has the wrong shape or a value that is not finite.
            ResetNeeded: the episode has ended, or none has begun.
        """
        shares = self._checked_action(action, "action")
        result = self._step([min(max(share, -1.0), 1.0) for share in shares])
        if self._pacer is not None:
            self._pacer.wait()
        return result

    def step_command(self, command: ArrayLike) -> StepResult:
        """`step` by a command, (a,) [unit of each interface], clipped to the limits, and never held up to real time."""
        values = self._checked_action(command, "command")
        shares = [value / limit for value, limit in zip(values, self._limits, strict=True)]
        return self._step([min(max(share, -1.0), 1.0) for share in shares])

    def _step(self, shares: list[float]) -> StepResult:
        if not self._is_running:
            raise ResetNeeded("the episode has ended, or none has begun: call reset() before step()")
        self._world.step([limit * share for limit, share in zip(self._limits, shares, strict=True)])
        self._memory.push(self._row(shares))
        self._steps += 1
        rows = self._memory.rows
        reward = self.task.reward(rows)
        if not math.isfinite(reward):
            self._is_running = False
            raise StateError(
                f"reward is {reward} in state {self.state.tolist()}: expected a finite number; see reward:"
            )
        terminated = self.task.is_terminated(rows)
        truncated = self.max_episode_steps is not None and self._steps >= self.max_episode_steps
        self._is_running = not (terminated or truncated)
        return self._observe(), reward, terminated, truncated, {}

    def _row(self, shares: list[float]) -> list[float]:
        """What was measured and done in the control period that ended now; see `SignalLayout`."""
        world = self._world
        return [*world.position, *world.velocity, *world.effort, *shares]

    @property
    def state(self) -> FloatArray:
        """A copy of the state, (2j,): position and velocity of each joint in turn, in the specification's order."""
        return self._world.state

    def joint_state(self) -> tuple[FloatArray, FloatArray]:
        """Positions [m or rad] and velocities [m/s or rad/s], (j,) float64 each, in the specification's order."""
        return np.array(self._world.position), np.array(self._world.velocity)

    def signals(self, stamp: int, frame: str) -> JointState:
        """The joint state, in the specification's order."""
        position, velocity = self.joint_state()
        return JointState(
            stamp=stamp,
            names=self.specification.joints,
            position=position,
            velocity=velocity,
            effort=np.array(self._world.effort),
            frame=frame,
        )

    def starts(self, rng: np.random.Generator, count: int) -> list[Start]:
        """Stratified start states: a policy that falls from a tenth of them cannot be lucky ten times."""
        return self._starts_at(stratified(rng, count, self.task.start_dimensions))

    def extreme_starts(self, rng: np.random.Generator, most: int) -> list[Start]:
        """Start states at corners of the task's cube."""
        return self._starts_at(extreme(rng, most, self.task.start_dimensions))

    def render(self) -> NDArray[np.uint8] | None:
        """The current picture, (480, 640, 3) uint8, in mode "rgb_array"; otherwise nothing: a window draws itself."""
        self._check_open()
        return self._world.render() if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Release the physics engine and its window; closing twice is allowed."""
        self._is_running = False
        self._is_closed = True
        self._world.close()

    def _starts_at(self, points: FloatArray) -> list[Start]:
        return [{"options": {"state": self.task.start_from(point)}} for point in points]

    def _check_open(self) -> None:
        if self._is_closed:
            raise ClosedEnvironmentError("this environment was closed: make a new one")

    def _observe(self) -> Float32Array:
        observation: Float32Array = np.empty(self._observer.size, dtype=np.float32)
        self._observer.observe_rows(self._memory.rows, observation)
        return observation

    def _checked_state(self, state: ArrayLike) -> FloatArray:
        values = np.array(state, dtype=np.float64)
        joints = self.specification.joints
        if values.shape != (2 * len(joints),) or not np.isfinite(values).all():
            raise StateError(
                f"start state is {values.tolist()}: expected {2 * len(joints)} finite numbers, "
                f"position and velocity of each of {', '.join(joints)}"
            )
        return values
