"""Why a goal is not met, by the key of its line: what is in the way, and what was tried. Filled in by hand.

Shown below the table for as long as a goal of the line is not met, and only then.
"""

from __future__ import annotations

REASONS: dict[str, str] = {}
