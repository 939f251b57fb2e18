"""How good a policy of a run is, in an order. What only evaluates needs no more of the store than this."""

from __future__ import annotations

import math
from typing import NamedTuple


class Score(NamedTuple):
    """How good a policy is; the greater, the better. What comes first counts more than all after it."""

    is_hardened: bool
    plants_passed: int  # of those that were tried; 0 where none was
    is_solution: bool
    mean_return: float


NO_SCORE = Score(is_hardened=False, plants_passed=0, is_solution=False, mean_return=-math.inf)  # below every policy's
