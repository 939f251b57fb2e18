"""Why nothing moves, as far as what came, or did not come, explains it. Looks only; knows no ROS."""

from __future__ import annotations

from sac_control.identity import describe_run
from sac_control.policy.admission import Admission
from sac_control.policy.hot_swap import HotSwap
from sac_control.policy.period_watch import PeriodWatch
from sac_control.policy.safety import Safety
from sac_control.policy.unused_states import UnusedStates


class Reasons:
    """Reads them off what keeps count of states and policies.

    Args:
        accept_weights: the run whose weights are accepted; empty: none are.
        swap: the policy in force, and what became of offers.
        safety: knows when the newest usable state came.
        admission: knows why states were rejected.
        unused: knows which states did not count.
        period: knows how fast states come.
    """

    def __init__(
        self,
        accept_weights: str,
        swap: HotSwap,
        safety: Safety,
        admission: Admission,
        unused: UnusedStates,
        period: PeriodWatch,
    ) -> None:
        self._accept_weights, self._swap = accept_weights, swap
        self._safety, self._admission, self._unused, self._period = safety, admission, unused, period

    def explanation(self, now: float) -> str:
        """Why there is no usable state or no row of them at `now` [s], as far as it is known; else empty."""
        if self._swap.policy is None:
            return self._absence()
        safety, admission = self._safety, self._admission
        return self._unused.explanation(
            now, safety.age(now), admission.rejected_states, admission.last_rejection
        ) or self._period.slowness(now, safety.timeout)

    def appended_to(self, sentence: str, now: float) -> str:
        """`sentence`, with the explanation behind it where there is one."""
        explanation = self.explanation(now)
        return f"{sentence}: {explanation}" if explanation else sentence

    def _absence(self) -> str:
        """Why there is no policy."""
        report = self._swap.last_report
        if report is not None:
            return f"version {report.offered_version} was rejected: {report.verdict}"
        if self._accept_weights:
            return f"nothing received on policy_weights from {describe_run(self._accept_weights)}"
        return "no policy: set policy.policy_file, or policy.accept_weights to the id of a run"
