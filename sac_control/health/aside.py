"""Best-effort work beside control, such as status and diagnostics: it may fail, and control goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

REST = 2.5  # [s] for which nothing of a kind is tried again: a publisher that is busy takes 0.1 s to say so


class Aside:
    """Runs callbacks whose failures never leave it: they are counted, and said.

    Attributes:
        failures: how many there were.

    Args:
        say: takes sentences for people.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self.failures = 0
        self._rests_until: dict[str, float] = {}  # [s] steady time, by what failed

    def run(self, what: str, now: float, act: Callable[..., object], *arguments: Any, rest: float = REST) -> bool:
        """Call `act` with `arguments`, unless `what` failed a moment ago; whether that went well.

        Args:
            what: names it for people, and tells what rests with it.
            now: [s] steady time.
            act: what is done.
            arguments: of `act`.
            rest: [s] for which `what` is not tried again where it fails.
        """
        if self._rests_until and self._rests_until.get(what, now) > now:
            return False
        try:
            act(*arguments)
        except Exception as error:  # noqa: BLE001 (not hidden: counted and said)
            self.failures += 1
            if what not in self._rests_until or now - self._rests_until[what] > REST:
                self._say(f"{what} failed, control goes on: {type(error).__name__}: {error}")
            self._rests_until[what] = now + rest
            return False
        return True
