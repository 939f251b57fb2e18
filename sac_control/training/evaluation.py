"""What a policy reaches in deterministic episodes. Knows no processes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sac_control.envs.environment import Environment
from sac_control.envs.trial import play
from sac_control.policy.policy import Policy
from sac_control.policy.policy_file import PolicyFile
from sac_control.store.score import Score
from sac_control.training.gate import GateResult


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What a policy reached."""

    policy_version: int
    env_steps: int  # transitions seen when the policy was made
    returns: tuple[float, ...]  # of each episode
    confirmations: tuple[float, ...]  # of each further one, extreme starts first; none where an episode failed
    solved_return: float  # that each must reach for the task to count as solved; infinite: it never does
    gate: GateResult | None = None  # on the plants of the task's exam; None where they were not tried

    @property
    def all_returns(self) -> tuple[float, ...]:
        """Of each episode, those of the confirmation last."""
        return self.returns + self.confirmations

    @property
    def solved_episodes(self) -> int:
        """Episodes that reached `solved_return`."""
        return sum(total >= self.solved_return for total in self.all_returns)

    @property
    def is_solved(self) -> bool:
        """Whether every episode reached `solved_return`."""
        return self.solved_episodes == len(self.all_returns)

    @property
    def is_hardened(self) -> bool:
        """Whether it solved the task, and was good on every plant of its exam that is tried in training."""
        return self.is_solved and self.gate is not None and self.gate.is_passed

    @property
    def verdict(self) -> str:
        """How many episodes reached what counts as solved, and on how many plants it was good, for people."""
        if self.solved_return == math.inf:
            return f"lowest {min(self.all_returns):.1f}"
        reached = f"{self.solved_episodes} of {len(self.all_returns)} episodes reached {self.solved_return:g}"
        return reached if self.gate is None else f"{reached}; {self.gate.verdict}"

    @property
    def mean_return(self) -> float:
        """Mean of `returns`: start states of a confirmation are extreme on purpose, and its first failure ends it."""
        return float(np.mean(self.returns))

    @property
    def score(self) -> Score:
        """By which the best policy is chosen: plants passed, a solution before none, and then the mean of `returns`.

        Returns of a confirmation are not part of that mean: only the better policies come to have any, from starts that
        are harder on purpose, and would fall behind those that never got so far.
        """
        return Score(
            is_hardened=self.is_hardened,
            plants_passed=0 if self.gate is None else self.gate.passed,
            is_solution=self.is_solved,
            mean_return=self.mean_return,
        )

    def row(self) -> dict[str, object]:
        """Its row in the table of evaluations."""
        gate = self.gate
        plants = {} if gate is None else {"plants_passed": gate.passed, "plants_tried": gate.tried}
        return {
            "env_steps": self.env_steps,
            "policy_version": self.policy_version,
            "mean_return": self.mean_return,
            "min_return": min(self.all_returns),
            "solved_episodes": self.solved_episodes,
            "episodes": len(self.all_returns),
            **plants,
        }


def evaluate(
    file: PolicyFile,
    env: Environment,
    episodes: int,
    confirmations: int,
    rng: np.random.Generator,
) -> Evaluation:
    """Run `episodes` deterministic episodes and `confirmations` more, as long as all reach the task's solved_return.

    They begin where the environment has them begin, see `Environment.starts`; those of the confirmation with extreme
    starts, if it knows any. The first episode that refutes a solution ends it: the sooner the next policy is tested.
    """
    solved, policy = env.task.solved_return, Policy(file.actor)
    returns = [play(env, policy.act, start).total_reward for start in env.starts(rng, episodes)]
    confirming: list[float] = []
    if all(total >= solved for total in returns):
        corners = env.extreme_starts(rng, confirmations)
        for start in (*corners, *env.starts(rng, confirmations - len(corners))):
            confirming.append(play(env, policy.act, start).total_reward)
            if confirming[-1] < solved:
                break
    return Evaluation(
        policy_version=file.policy_version,
        env_steps=file.env_steps,
        returns=tuple(returns),
        confirmations=tuple(confirming),
        solved_return=solved,
    )
