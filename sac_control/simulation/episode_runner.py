"""Episodes of an environment in a row: commands in, numbered transitions and stamped signals out. Knows no ROS.

Simulated time runs on through resets, so that a stamp names one state of one source and nothing else. What is learnt
does not depend on when it began: policies are told of a state's time by the differences of stamps alone.
"""

from __future__ import annotations

import numpy as np

from sac_control.envs.environment import Environment
from sac_control.observation import normalised
from sac_control.types import LONGEST_VARIATION, Float32Array, FloatArray, Signals, Transition
from sac_control.variation.fields import to_text

LARGEST_STRETCH = 0.04  # by which a control period may look longer or shorter by stamps; less than any check bears


class EpisodeRunner:
    """Owns an environment, starts an episode when one ends, and numbers what happens.

    Args:
        env: the environment; its first episode is started here.
        source: random identity of this life of the publisher, carried by every transition.
        seed: seed of the start states.
        frame: for whom signals are, see identity.py.
        begin: [ns] at which simulated time begins.
    """

    def __init__(self, env: Environment, source: int, seed: int, frame: str = "", begin: int = 0) -> None:
        self._env = env
        self._source, self._frame = source, frame
        self._limit: FloatArray = np.array(env.specification.command_limit)
        self._period = round(env.specification.control_period * 1e9)  # [ns]
        self.stamp = begin  # [ns] simulated time
        self.sequence = 0  # transitions made so far
        self.episode = -1
        self.step_in_episode = 0
        self.return_so_far = 0.0  # sum of rewards of the running episode
        self._observation: Float32Array = np.zeros(0, np.float32)
        self._start(seed)

    @property
    def is_varied(self) -> bool:
        """Whether the robot of each episode from the next on is drawn anew."""
        return self._env.is_varied

    @is_varied.setter
    def is_varied(self, is_varied: bool) -> None:
        self._env.is_varied = is_varied

    @property
    def variation(self) -> str:
        """How the robot of this episode differs from its description, for people."""
        return to_text(self._env.variation)

    @property
    def signals(self) -> Signals:
        """What a policy is shown of the present state, with its stamp."""
        return self._env.signals(self.stamp, self._frame)

    def step(self, command: FloatArray, policy_version: int, action_raw: Float32Array | None = None) -> Transition:
        """Apply a command for one control period; a new episode starts where one ends.

        Args:
            command: (a,) float64 [unit of the interface].
            policy_version: of the policy that chose it.
            action_raw: (a,) float32, what the policy chose before any limit, be it beyond 1; None where that was not
                told.
        """
        action = normalised(command, self._limit)
        state = self._env.state
        before, stamp, episode, step = self._observation, self.stamp, self.episode, self.step_in_episode
        after, reward, terminated, truncated, _ = self._env.step(action)
        transition = Transition(
            source=self._source,
            sequence=self.sequence,
            episode=episode,
            step=step,
            stamp=stamp,
            policy_version=policy_version,
            observation=before,
            action=action,
            reward=float(reward),
            next_observation=after,
            terminated=terminated,
            truncated=truncated,
            state=state,
            action_raw=action if action_raw is None else action_raw,
            duration=self._env.specification.control_period,
            variation=self.variation[:LONGEST_VARIATION] if terminated or truncated else "",
        )
        self.sequence += 1
        self.stamp += self._period
        self.step_in_episode += 1
        self.return_so_far += transition.reward
        self._observation = after
        if terminated or truncated:
            self._start()
        return transition

    def reset(self) -> None:
        """Abandon the running episode and start another; the abandoned one has no last transition."""
        self.stamp += self._period  # as after one: the gap tells whoever remembers states that an episode begins
        self._start()

    def follow(self, time: int) -> None:
        """Bring stamps nearer to `time` [ns] of another clock, so that no control period seems to be another one.

        Where an episode begins they may be late by any time: they catch up at once, which widens a gap that is there
        anyway. Within one they are stretched, or compressed, by `LARGEST_STRETCH` of a control period at most.
        """
        ahead = time - self.stamp
        if self.step_in_episode == 0 and ahead > self._period:
            self.stamp = time
        else:
            most = round(LARGEST_STRETCH * self._period)
            self.stamp += min(max(ahead, -most), most)

    def close(self) -> None:
        """Close the environment."""
        self._env.close()

    def _start(self, seed: int | None = None) -> None:
        self._observation, _ = self._env.reset(seed=seed)
        self.episode += 1
        self.step_in_episode = 0
        self.return_so_far = 0.0
        self.stamp += self._period  # the first state of an episode is not the last state of the one before
