"""Level and sentence of a node's diagnostics: all that is wrong, the worst first. Knows no ROS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

OK, WARN, ERROR = 0, 1, 2  # as in diagnostic_msgs/DiagnosticStatus
RECENT = 10.0  # [s] for which something that happened is worth a warning

Finding = tuple[int, str]  # level, and a sentence; an empty one says that nothing is wrong


class RecentGrowth:
    """Tells which counters grew lately: what was lost an hour ago is among the figures, and no reason to warn.

    Args:
        counts: where the counters stand now, by name.
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = dict(counts)
        self._grew_at: dict[str, float] = {}  # [s] steady time

    def finding(self, counts: Mapping[str, int], now: float) -> Finding:
        """A warning that names the counters that grew within the last `RECENT` seconds before `now` [s]."""
        for name, count in counts.items():
            if count > self._counts[name]:
                self._grew_at[name] = now
            self._counts[name] = count
        recent = [f"{name} now {counts[name]}" for name, then in self._grew_at.items() if now - then < RECENT]
        return WARN, ", ".join(recent)


def diagnosis(findings: Iterable[Finding], otherwise: str) -> Finding:
    """The worst level of `findings` and all their sentences, the worst first; `otherwise` where nothing is wrong."""
    wrong = sorted((finding for finding in findings if finding[1]), key=lambda finding: -finding[0])
    return (wrong[0][0], "; ".join(sentence for _, sentence in wrong)) if wrong else (OK, otherwise)
