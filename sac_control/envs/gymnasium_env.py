"""GymnasiumEnv: any environment of Gymnasium with Box spaces, as the rest of the package sees environments."""

from __future__ import annotations

import contextlib
import math
import os
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

import gymnasium
import numpy as np
from gymnasium.error import ClosedEnvironmentError, DependencyNotInstalled, ResetNeeded
from gymnasium.spaces import Box
from gymnasium.utils import EzPickle
from numpy.typing import ArrayLike, NDArray

from sac_control.envs.environment import Environment, Start, StepResult
from sac_control.envs.pacer import Pacer
from sac_control.errors import ConfigError, StateError
from sac_control.option import suggest
from sac_control.tasks import gymnasium_maker
from sac_control.tasks.gymnasium_task import GymnasiumTask
from sac_control.types import Array, Float32Array, FloatArray, Observation

RENDER_MODES = ("human", "rgb_array")
_SEEDS = 2**31 - 1  # that are drawn from
_HEADLESS_DRIVERS = ("dummy", "offscreen")  # of SDL, which need no display


class GymnasiumEnv(Environment, EzPickle):
    """An environment of Gymnasium. Its observation is flat and in single precision, its actions are normalised.

    It cannot be copied, because not every one of them can: one that were copied half would move otherwise.

    Args:
        task: what is asked there.
        render_mode: "human" opens a window, "rgb_array" lets `render` return pictures, None does neither.
        max_episode_steps: steps until an episode is truncated; None leaves that to the environment.
        is_paced: in a window, let `step` last a control period, so that people see real time.

    Raises:
        ConfigError: the environment cannot be made, or not be shown in this way.
    """

    keeps_starts = True  # random ones: of many evaluations, the best would be the one that began luckily
    # What Gymnasium asks of a class; each environment has the frequency of its own.
    metadata: dict[str, Any] = {"render_modes": list(RENDER_MODES), "render_fps": 50}  # noqa: RUF012  as Gymnasium has it

    def __init__(
        self,
        task: GymnasiumTask,
        *,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        is_paced: bool = True,
    ) -> None:
        if render_mode is not None and render_mode not in RENDER_MODES:
            raise ConfigError(f"render mode {render_mode!r} is not known; {suggest(render_mode, RENDER_MODES)}")
        options = {"render_mode": render_mode, "max_episode_steps": max_episode_steps, "is_paced": is_paced}
        EzPickle.__init__(self, task, **options)
        self.task: GymnasiumTask = task
        self.engine = "gymnasium"
        self.specification = task.specification
        self.render_mode, self.max_episode_steps = render_mode, max_episode_steps
        period = task.specification.control_period
        self.metadata = {**self.metadata, "render_fps": round(1.0 / period)}
        self.observation_space = Box(-np.inf, np.inf, (len(task.specification.observation),), np.float32)
        self.action_space = Box(-1.0, 1.0, (len(task.specification.command_limit),), np.float32)
        if render_mode == "human":
            _check_display()
        self._env = gymnasium_maker.make(task.environment, render_mode)
        space = self._env.action_space
        assert isinstance(space, Box)
        self._space, self._low, self._high = space, space.low.ravel(), space.high.ravel()
        low, high = np.asarray(self._low, np.float64), np.asarray(self._high, np.float64)
        self._takes_whole_numbers = np.issubdtype(space.dtype, np.integer)
        self._middle, self._half = low + (high - low) / 2.0, (high - low) / 2.0
        self._pacer = Pacer(period) if render_mode == "human" and is_paced else None
        self._observation: Float32Array = np.zeros(len(task.specification.observation), np.float32)
        self._steps, self._is_running, self._is_closed, self._is_seeded = 0, False, False, False
        if render_mode is not None:
            self._try_to_render()

    def __deepcopy__(self, memo: dict[int, Any]) -> NoReturn:
        """Refuse.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(f"{self.task.specification.task} cannot be copied as it stands: make another, and reset it")

    def __copy__(self) -> NoReturn:
        """The same."""
        self.__deepcopy__({})

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float32Array, dict[str, Any]]:
        """Begin an episode; `options` are the environment's own."""
        if self._is_closed:
            raise ClosedEnvironmentError("this environment was closed: make a new one")
        gymnasium.Env.reset(self, seed=seed)
        if seed is None and not self._is_seeded:  # what was tried before must not decide how the first one begins
            seed = int(self.np_random.integers(_SEEDS))
        self._is_seeded = True
        self._steps = 0
        observation, info = self._env.reset(seed=seed, options=options)
        self._take(observation)
        self._is_running = True
        if self._pacer is not None:
            self._pacer.restart()
        return self._observation, info

    def step(self, action: Float32Array) -> StepResult:
        """Apply `action`, (a,), for one step of the environment."""
        shares = [min(max(share, -1.0), 1.0) for share in self._checked_action(action)]
        if not self._is_running:
            raise ResetNeeded("the episode has ended, or none has begun: call reset() before step()")
        self._is_running = False  # unless all goes well
        self._steps += 1
        observation, given, terminated, truncated, info = self._env.step(self._in_its_units(shares))
        self._take(observation)
        reward = float(given)
        if not math.isfinite(reward):
            self._refuse("reward", reward)
        truncated = truncated or (self.max_episode_steps is not None and self._steps >= self.max_episode_steps)
        self._is_running = not (terminated or truncated)
        if self._pacer is not None:
            self._pacer.wait()
        return self._observation, reward, bool(terminated), bool(truncated), info

    def signals(self, stamp: int, frame: str) -> Observation:
        """The observation."""
        return Observation(stamp=stamp, values=self._observation, frame=frame)

    @property
    def state(self) -> FloatArray:
        """No joints, no state: (0,)."""
        return np.zeros(0)

    def starts(self, rng: np.random.Generator, count: int) -> list[Start]:
        """Random seeds: where an episode begins, the environment alone knows."""
        return [{"seed": seed} for seed in rng.integers(_SEEDS, size=count).tolist()]

    def render(self) -> NDArray[np.uint8] | None:
        """The environment's own picture, (height, width, 3) uint8, in mode "rgb_array"; otherwise nothing."""
        if self._is_closed:
            raise ClosedEnvironmentError("this environment was closed: make a new one")
        if self.render_mode != "rgb_array":
            return None
        picture: NDArray[np.uint8] = np.asarray(self._env.render(), np.uint8)
        return picture

    def close(self) -> None:
        """Close it, and its window; closing twice is allowed."""
        self._is_running = False
        if not self._is_closed:
            self._is_closed = True
            self._env.close()

    def _in_its_units(self, shares: list[float]) -> Array:
        """Normalised actions, (a,), as the environment takes them: -1 is the least that it takes, 1 the most."""
        values = self._middle + self._half * np.array(shares)
        if self._takes_whole_numbers:
            values = np.rint(values)
        rounded = values.astype(self._space.dtype)  # which may lead beyond the bounds
        action: Array = np.minimum(np.maximum(rounded, self._low), self._high).reshape(self._space.shape)
        return action

    def _take(self, observation: ArrayLike) -> None:
        """Remember an observation, which is a new array each time."""
        values: Float32Array = np.array(observation, np.float32).ravel()
        if values.shape != self._observation.shape or not np.isfinite(values).all():
            self._refuse("observation", values.tolist())
        self._observation = values

    def _refuse(self, what: str, value: object) -> NoReturn:
        size = len(self._observation)
        expected = "a finite number" if what == "reward" else f"{size} finite numbers"
        raise StateError(
            f"{what} of {self.task.specification.task} is {value!s:.200} at step {self._steps} of an episode: expected "
            f"{expected}, so mend the environment, or its arguments"
        )

    def _try_to_render(self) -> None:
        """See that there can be pictures, and let nobody but our own pacer slow them down.

        Raises:
            ConfigError: there can be none, for want of a package or of a display.
        """
        task = self.task
        self._env.unwrapped.metadata = {**self._env.unwrapped.metadata, "render_fps": 0}  # which is: without end
        try:
            with _without_display() if self.render_mode == "rgb_array" else contextlib.nullcontext():
                self._env.reset(seed=0)
                picture = self._env.render()
        except (DependencyNotInstalled, ImportError) as problem:
            self.close()
            raise gymnasium_maker.missing(task.environment, problem) from None
        except Exception as problem:
            self.close()
            raise ConfigError(f"{task.specification.task} cannot be shown ({self.render_mode}): {problem}") from problem
        shape = np.shape(picture)  # type: ignore[arg-type]
        if self.render_mode == "rgb_array" and (len(shape) != 3 or shape[2] != 3):
            self.close()
            raise ConfigError(f"{task.specification.task} has no pictures: render gave {type(picture).__name__}")


@contextlib.contextmanager
def _without_display() -> Iterator[None]:
    """SDL, which pygame begins with the first picture, looks for a display and complains of there being none."""
    if _has_display() or "SDL_VIDEODRIVER" in os.environ:
        yield
        return
    os.environ["SDL_VIDEODRIVER"] = _HEADLESS_DRIVERS[0]
    try:
        yield
    finally:
        del os.environ["SDL_VIDEODRIVER"]


def _has_display() -> bool:
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _check_display() -> None:
    is_needed = sys.platform.startswith("linux") and os.environ.get("SDL_VIDEODRIVER") not in _HEADLESS_DRIVERS
    if is_needed and not _has_display():
        raise ConfigError(
            "no window can be opened, because DISPLAY is not set: run without a window (headless, or render_mode "
            "rgb_array), or set DISPLAY"
        )
