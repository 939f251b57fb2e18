"""The policy in force, and how a new one takes its place: checked whole, then swapped by one assignment."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from sac_control.errors import PolicyFileError
from sac_control.policy.policy import Policy
from sac_control.policy.policy_file import PolicyFile
from sac_control.types import SwapReport, Weights


class HotSwap:
    """Holds the policy in force and decides over every set of weights that is offered.

    Args:
        task: the task that weights must be for.
        max_bytes: larger offers are refused before anything of them is read.
        clock: steady clock [s], to measure how long a swap holds up the control thread.
    """

    def __init__(self, task: str, max_bytes: int, clock: Callable[[], float]) -> None:
        self._task, self._max_bytes, self._clock = task, max_bytes, clock
        self.file: PolicyFile | None = None  # what is in force
        self.policy: Policy | None = None  # its network, ready to act
        self.last_report: SwapReport | None = None
        self.swaps = 0  # accepted offers
        self.rejected = 0  # refused offers; an offer of the version in force is neither

    def offer(self, weights: Weights) -> SwapReport | None:
        """Check `weights` and put them in force if all is well; otherwise the old policy stays.

        Returns:
            The verdict, or None where the very weights in force are announced again.
        """
        start = self._clock()
        if self.file is not None and (weights.run, weights.version) == (self.file.run, self.file.policy_version):
            return None
        try:
            file, policy = self._checked(weights)
        except PolicyFileError as error:
            self.rejected += 1
            accepted, verdict = False, str(error)
        else:
            self.file, self.policy = file, policy
            self.swaps += 1
            accepted, verdict = True, "in force"
        self.last_report = SwapReport(
            offered_version=weights.version, accepted=accepted, verdict=verdict, gap=self._clock() - start
        )
        return self.last_report

    def install(self, file: PolicyFile) -> None:
        """Put a policy read from disk in force.

        Raises:
            PolicyFileError: it is for another task.
        """
        self._check_fit(file)
        self.file, self.policy = file, Policy(file.actor)

    def _checked(self, weights: Weights) -> tuple[PolicyFile, Policy]:
        if len(weights.data) > self._max_bytes:
            raise PolicyFileError(f"{len(weights.data)} bytes of weights, at most {self._max_bytes} are accepted")
        if hashlib.sha256(weights.data).digest() != weights.sha256:
            raise PolicyFileError("the weights do not match their sha256: they were damaged on the way")
        current = self.file
        if current is not None and weights.run == current.run and weights.version < current.policy_version:
            raise PolicyFileError(f"version {weights.version} is older than {current.policy_version}, in force")
        file = PolicyFile.from_bytes(weights.data)
        if (file.policy_version, file.run) != (weights.version, weights.run):
            raise PolicyFileError(
                f"message names version {weights.version} of run {weights.run!r}, "
                f"its file says {file.policy_version} of {file.run!r}"
            )
        self._check_fit(file)
        return file, Policy(file.actor)

    def _check_fit(self, file: PolicyFile) -> None:
        if file.specification.task != self._task:
            raise PolicyFileError(
                f"policy is for task {file.specification.task!r}, expected {self._task!r}: "
                "choose a policy of this task or set the parameter task"
            )
        if self.file is not None and file.specification.hash != self.file.specification.hash:
            raise PolicyFileError(
                f"policy has specification {file.specification.hash[:12]}, in force is "
                f"{self.file.specification.hash[:12]}: joints, observation, limits or control period differ"
            )
