"""The first seconds of an episode of a policy, as pictures. Needs no display."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sac_control.envs.env import Env
from sac_control.envs.environment import Environment
from sac_control.envs.registry import make_env
from sac_control.envs.trial import play
from sac_control.errors import RunError, StateError
from sac_control.policy.policy import Policy
from sac_control.policy.policy_file import PolicyFile
from sac_control.types import Float32Array, Specification, unit_of
from sac_control.video.label import Command, labelled

Picture = NDArray[np.uint8]  # (height, width, 3)


@dataclass(frozen=True, kw_only=True)
class Take:
    """How a film is made."""

    seconds: float  # of the episode, at most
    size: tuple[int, int]  # width and height [pixels]; an environment of Gymnasium has a size of its own
    fps: int  # pictures per second; a GIF counts hundredths of a second
    seed: int  # of the start


class _Camera:
    """Watches an episode."""

    def __init__(self, file: PolicyFile, take: Take) -> None:
        self.pictures: list[Picture] = []
        self._file, self._fps = file, take.fps
        self._steps = 0

    def __call__(self, env: Environment, action: Float32Array) -> None:
        self._steps += 1
        time = self._steps * env.specification.control_period
        if time * self._fps < len(self.pictures):
            return  # the next picture is due later
        picture = env.render()
        assert picture is not None
        title = f"{time:.2f} s   policy v{self._file.policy_version}, {self._file.env_steps} transitions"
        self.pictures.append(labelled(picture, title, _commands(env.specification, action)))


def film(file: PolicyFile, task: str, engine: str, take: Take) -> list[Picture]:
    """Play a deterministic episode of the policy in `file` and take pictures, one at least.

    Args:
        file: the policy.
        task: by name or file, see `make_env`.
        engine: that simulates it; empty: the task's own.
        take: how.

    Raises:
        ConfigError: the task cannot be shown.
        RunError: the physics diverged before the first picture.
    """
    steps = max(1, math.ceil(take.seconds / file.specification.control_period))
    env = make_env(task, "rgb_array", max_episode_steps=steps, engine=engine)
    camera = _Camera(file, take)
    try:
        if isinstance(env, Env):
            env.picture_size = take.size
        play(env, Policy(file.actor).act, {"seed": take.seed}, camera)
    except StateError as error:
        if not camera.pictures:
            raise RunError(f"no picture can be taken: {error}") from error
    finally:
        env.close()
    return camera.pictures


def _commands(specification: Specification, action: Float32Array) -> list[Command]:
    shares = np.clip(action, -1.0, 1.0).tolist()
    joints = zip(
        specification.actuated_joints, specification.interface, specification.command_limit, shares, strict=True
    )
    return [
        Command(name=name, share=share, text=f"{limit * share:+.2f} {unit_of(interface)}")
        for name, interface, limit, share in joints
    ]
