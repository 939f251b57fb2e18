"""What docs/robustness.md says can vary is what can."""

from __future__ import annotations

import re
from pathlib import Path

from sac_control.variation.fields import FIELDS

PAGE = (Path(__file__).parent.parent / "docs" / "robustness.md").read_text()


def test_table_of_the_page_has_every_field_with_unit_bounds_and_words() -> None:
    rows = {match[1]: match[0] for match in re.finditer(r"^\| `(\w+)` \|.*$", PAGE, re.MULTILINE)}
    for name, field in FIELDS.items():
        if name == "difference":  # written velocity: difference
            assert "`difference`" in rows["velocity"]
            continue
        for part in (field.of.value, field.description, field.unit, field.allowed):
            assert part in rows[name], name
