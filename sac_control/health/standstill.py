"""Says in the log why nothing moves: soon, and again whenever it is for another reason. Knows no ROS."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"[-+.0-9e]*[0-9]")


class Standstill:
    """Turns the causes of a standstill into sentences for people.

    Args:
        patience: [s] for which it is normal that nothing moves.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._since: float | None = None  # [s] steady time
        self._said = ""  # the newest reason without its numbers, which change all the time

    def sentence(self, cause: str, now: float) -> str:
        """What to say, now that nothing moves because of `cause`; empty where that was said. Empty: something moves."""
        if not cause:
            self._since, self._said = None, ""
            return ""
        if self._since is None:
            self._since = now
        reason = _NUMBERS.sub("", cause)
        if now - self._since < self._patience or reason == self._said:
            return ""
        self._said = reason
        return f"nothing moves: {cause}"
