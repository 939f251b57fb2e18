"""A peer learns the inverted pendulum until solved, in one process without ROS; prints one line of JSON.

"Solved" as the benchmark asks of everybody: 10 deterministic episodes from unseen start states have a return of 1000.
That is tested every CHECK_EVERY transitions, and the time that the tests take is not counted.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from libraries import LIBRARIES, make_sac

TASK = "InvertedPendulumBulletEnv-v0"
CHECK_EVERY = 500  # transitions
EPISODES = 10
UNSEEN = 1_000_000  # seeds of start states begin here; training uses small ones
FULL_RETURN = 1000.0


def main() -> None:
    """Read the arguments, learn, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", choices=LIBRARIES, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--max-steps", type=int, required=True)
    parser.add_argument("--max-seconds", type=float, required=True)
    parser.add_argument("--started", type=float, required=True, help="time.monotonic() when the process was started")
    options = parser.parse_args()

    import gymnasium
    import pybullet_envs_gymnasium  # noqa: F401  (makes its environments known)
    from stable_baselines3.common.callbacks import BaseCallback

    class UntilSolved(BaseCallback):  # type: ignore[misc]
        """Tests the policy now and then, and ends the training when it is solved or out of time."""

        def __init__(self) -> None:
            super().__init__()
            self.env = gymnasium.make(TASK)
            self.tests_took = 0.0  # [s]
            self.evaluations: list[dict[str, float]] = []
            self.solved_at: tuple[int, float] | None = None  # transitions, [s]

        @property
        def seconds(self) -> float:
            """Time since the process was started, without that of the tests."""
            return time.monotonic() - options.started - self.tests_took

        def _on_step(self) -> bool:
            if self.num_timesteps % CHECK_EVERY == 0:
                seconds, began = self.seconds, time.monotonic()
                first = UNSEEN + 100_000 * options.seed + EPISODES * (self.num_timesteps // CHECK_EVERY)
                returns = [self._play(first + k) for k in range(EPISODES)]
                self.tests_took += time.monotonic() - began
                self.evaluations.append(
                    {
                        "step": self.num_timesteps,
                        "seconds": seconds,
                        "mean_return": sum(returns) / EPISODES,
                        "min_return": min(returns),
                    }
                )
                if min(returns) >= FULL_RETURN:
                    self.solved_at = (self.num_timesteps, seconds)
                    return False
            return self.seconds < options.max_seconds

        def _play(self, seed: int) -> float:
            observation, _ = self.env.reset(seed=seed)
            total, is_over = 0.0, False
            while not is_over:
                action, _ = self.model.predict(observation, deterministic=True)
                observation, reward, terminated, truncated, _ = self.env.step(action)
                total += float(reward)
                is_over = terminated or truncated
            return total

    model = make_sac(options.library, gymnasium.make(TASK), seed=options.seed)
    until_solved = UntilSolved()
    model.learn(total_timesteps=options.max_steps, callback=until_solved)
    result: dict[str, Any] = {
        "solved": until_solved.solved_at is not None,
        "transitions": until_solved.solved_at[0] if until_solved.solved_at else None,
        "seconds": until_solved.solved_at[1] if until_solved.solved_at else None,
        "steps": int(model.num_timesteps),
        "seconds_spent": until_solved.seconds,
        "evaluations": until_solved.evaluations,
    }
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
