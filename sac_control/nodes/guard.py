"""Exceptions in callbacks: the safe command first, then the fault is reported; after too many, the process exits."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from typing import Any

from std_srvs.srv import Trigger

from sac_control.errors import ConfigError, NeighbourError, SacControlError
from sac_control.policy.faults import FaultCounter


class Guard:
    """Guards callbacks of a node that moves something. Whoever asked for a service is told the fault, too.

    Args:
        hold: sends the safe command and holds it, for a reason; never raises.
        faults: counts them.
        log: takes tracebacks.
        tell: tells watchers of the newest fault; never raises.
    """

    def __init__(
        self,
        hold: Callable[[str], None],
        faults: FaultCounter,
        log: Callable[[str], object],
        tell: Callable[[], None],
    ) -> None:
        self._hold, self._faults, self._log, self._tell = hold, faults, log, tell

    def __call__(self, callback: Callable[..., Any]) -> Callable[..., Any]:
        """`callback`, guarded."""

        def guarded(*arguments: Any) -> Any:
            try:
                return callback(*arguments)
            except (ConfigError, NeighbourError) as error:  # no chance that it goes better next time
                self._hold(str(error))
                raise
            except Exception as error:  # noqa: BLE001 (not hidden: safe, then logged, diagnosed and counted)
                self._on_fault(error)
                response = arguments[-1] if arguments else None
                if isinstance(response, Trigger.Response):
                    response.success, response.message = False, self._faults.newest
                return response

        return guarded

    def _on_fault(self, error: Exception) -> None:
        place = traceback.extract_tb(error.__traceback__)[-1]
        sentence = f"{type(error).__name__} in {place.name}: {error}"
        self._hold(sentence)
        is_too_much = self._faults.add(sentence, time.monotonic())
        self._log("".join(traceback.format_exception(error)))
        self._tell()
        if is_too_much:
            raise SacControlError(f"ended after {self._faults.count} faults, the last one: {sentence}") from error
