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

from sac_control.envs.command_line import Acting, CommandLine
from sac_control.envs.environment import Environment, Start, StepResult
from sac_control.envs.pacer import Pacer
from sac_control.envs.sensors import Sensors
from sac_control.envs.start_points import extreme, stratified
from sac_control.errors import ConfigError, StateError
from sac_control.expression import SignalMemory
from sac_control.observation import Observer
from sac_control.option import suggest
from sac_control.tasks.robot_task import RobotTask
from sac_control.types import Float32Array, FloatArray, JointState
from sac_control.variation.fields import NOMINAL, Quantity, Variation, check
from sac_control.variation.ranges import Ranges
from sac_control.worlds.catalogue import make_world

RENDER_MODES = ("human", "rgb_array")
_RESET_OPTIONS = ("state", "variation")
_LONGEST_PUSH_WAIT = 0.5  # of an episode: pushes that are given no time come within that share of it


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
        randomise: from what the robot of each episode is drawn while `is_varied`.

    Attributes:
        picture_size: width and height [pixels] of what `render` returns.

    Raises:
        ConfigError: the render mode is unknown, no window can be opened, or the engine cannot vary something.
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
        randomise: Ranges = Ranges(),  # noqa: B008  frozen
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
            randomise=randomise,
        )
        self.task: RobotTask = task
        self.engine = engine
        self.render_mode = render_mode
        self.picture_size = (640, 480)
        self.max_episode_steps = max_episode_steps
        self.specification = task.specification
        self.metadata = {**self.metadata, "render_fps": round(1.0 / task.specification.control_period)}
        self._limits = task.specification.command_limit
        self._observer = Observer(
            self.specification.observation, self.specification.joints, self.specification.actuated_joints
        )
        depth = max(task.memory, self._observer.memory, 0 if task.exam is None else task.exam.memory)
        self._memory = SignalMemory(depth, task.layout)
        self._measured = self._memory  # another one where what is measured differs
        self.observation_space = Box(-np.inf, np.inf, (self._observer.size,), np.float32)
        self.action_space = Box(-1.0, 1.0, (len(self._limits),), np.float32)
        self._still = [0.0] * len(self._limits)  # the actions before an episode
        joints = len(self.specification.joints)
        self._splits = [joints, 2 * joints, 3 * joints]  # of a row: positions, velocities, efforts, actions
        self._world = make_world(engine, task.robot(engine), has_window=render_mode == "human")
        self.randomise = randomise
        self.variation: Variation = NOMINAL
        self._sensors: Sensors | None = None  # where they are not exact
        self._commands: CommandLine | None = None  # where commands take time
        self._push: tuple[int, list[float]] | None = None  # at which step, with what effort on each joint
        self._try_ranges()
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
            options: ``{"state": state}`` starts from `state`, (2j,), e.g. ``[x, vx, θ, θ̇]``, instead of a random one;
                ``{"variation": {Quantity: value}}`` lets the robot differ so from its description in this episode.

        Raises:
            ConfigError: an option is unknown, or the robot cannot differ so.
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
        wanted = (options or {}).get("variation")
        drawn = self.randomise.draw(self.np_random) if self.is_varied and wanted is None else wanted
        self._vary(drawn or NOMINAL)
        self._world.reset(start.tolist())
        self._memory.start(self._row(self._still))
        if self._sensors is not None:
            self._measured.start(self._sensors.start(self._row(self._still)))
        if self._commands is not None:
            self._commands.start(self._idle_command())
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
        self._move([limit * share for limit, share in zip(self._limits, shares, strict=True)])
        row = self._row(shares)
        self._memory.push(row)
        if self._sensors is not None:
            self._measured.push(self._sensors.measure(row))
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

    def _move(self, command: list[float]) -> None:
        """Let the world go on under what acts in this control period."""
        if self._commands is None and self._push is None:
            self._world.step(command)
            return
        acting = Acting(command, None, 0.0) if self._commands is None else self._commands.send(command)
        push = self._push[1] if self._push is not None and self._push[0] == self._steps else None
        self._world.step(acting.command, before=acting.before, delay=acting.delay, push=push)

    def _row(self, shares: list[float]) -> list[float]:
        """What was measured and done in the control period that ended now; see `SignalLayout`."""
        world = self._world
        return [*world.position, *world.velocity, *world.effort, *shares]

    def is_kept(self) -> bool:
        """Whether the robot is now as the task's exam wants it at the end of an episode."""
        return self.task.exam is None or self.task.exam.is_kept(self._memory.rows)

    @property
    def state(self) -> FloatArray:
        """A copy of the state, (2j,): position and velocity of each joint in turn, in the specification's order."""
        return self._world.state

    def joint_state(self) -> tuple[FloatArray, FloatArray]:
        """Positions [m or rad] and velocities [m/s or rad/s], (j,) float64 each, in the specification's order."""
        return np.array(self._world.position), np.array(self._world.velocity)

    def signals(self, stamp: int, frame: str) -> JointState:
        """The joint state as it is measured, in the specification's order."""
        if self._sensors is None:
            (position, velocity), effort = self.joint_state(), np.array(self._world.effort)
        else:
            position, velocity, effort, _ = np.split(np.array(self._measured.rows[0]), self._splits)
        return JointState(
            stamp=stamp,
            names=self.specification.joints,
            position=position,
            velocity=velocity,
            effort=effort,
            frame=frame,
        )

    def starts(self, rng: np.random.Generator, count: int) -> list[Start]:
        """Stratified start states: a policy that falls from a tenth of them cannot be lucky ten times."""
        return self._starts_at(stratified(rng, count, self.task.start_dimensions))

    def extreme_starts(self, rng: np.random.Generator, most: int) -> list[Start]:
        """Start states at corners of the task's cube."""
        return self._starts_at(extreme(rng, most, self.task.start_dimensions))

    def render(self) -> NDArray[np.uint8] | None:
        """The current picture, (height, width, 3) uint8, in mode "rgb_array"; otherwise nothing: windows draw."""
        self._check_open()
        return self._world.render(*self.picture_size) if self.render_mode == "rgb_array" else None

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
        self._observer.observe_rows(self._measured.rows, observation)
        return observation

    # what differs from the description

    def _vary(self, variation: Variation) -> None:
        """Let the robot differ so from its description, from the reset on that follows."""
        joints = self.specification.joints
        check(variation, joints, self.specification.actuated_joints)
        if variation or self.variation:
            self._world.vary(variation)
        self.variation = variation
        self._measured, self._sensors, self._commands, self._push = self._memory, None, None, None
        if not variation:
            return
        rng = np.random.default_rng(self.np_random.integers(2**63))  # as many draws of ours, whatever varies
        period = self.specification.control_period
        if Sensors.are_needed(variation):
            self._sensors = Sensors(joints, period, variation, rng)
            self._measured = SignalMemory(self._observer.memory, self.task.layout)
        commands = CommandLine(variation, rng)
        self._commands = None if commands.is_ideal else commands
        impulses = [variation.get(Quantity("push", joint), 0.0) for joint in joints]
        if any(impulses):
            latest = _LONGEST_PUSH_WAIT * (self.max_episode_steps or self.task.max_episode_steps) * period
            at = variation.get(Quantity("push_time"), rng.uniform(0.0, latest))
            self._push = int(at / period), [impulse / period for impulse in impulses]

    def _try_ranges(self) -> None:
        """See that the engine can vary all that is to vary, before an episode asks for it."""
        if self.randomise:
            self._world.vary({each.quantity: each.high for each in self.randomise.ranges})
            self._world.vary(NOMINAL)

    def _idle_command(self) -> list[float]:
        """What drives have been told before an episode: to give nothing, or to stay where they are."""
        places = [self.specification.joints.index(joint) for joint in self.specification.actuated_joints]
        return [
            self._world.position[place] if interface == "position" else 0.0
            for place, interface in zip(places, self.specification.interface, strict=True)
        ]

    def _checked_state(self, state: ArrayLike) -> FloatArray:
        values = np.array(state, dtype=np.float64)
        joints = self.specification.joints
        if values.shape != (2 * len(joints),) or not np.isfinite(values).all():
            raise StateError(
                f"start state is {values.tolist()}: expected {2 * len(joints)} finite numbers, "
                f"position and velocity of each of {', '.join(joints)}"
            )
        return values
