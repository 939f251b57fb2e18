"""results.json: the newest measurement of each row, with when and from what it was made. Written row by row."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any


def read(path: Path) -> dict[str, Any]:
    """The records by the name of their row; empty where there is no file.

    Raises:
        ValueError: the file is not such a file.
    """
    if not path.exists():
        return {}
    content = json.loads(path.read_text())
    if not isinstance(content, dict) or not isinstance(content.get("rows"), dict):
        raise ValueError(  # noqa: TRY004 (the content is wrong, not a type of ours)
            f"{path} is not a file of results: move it away, and it is made anew"
        )
    rows: dict[str, Any] = content["rows"]
    return rows


def merge(path: Path, name: str, record: dict[str, Any]) -> None:
    """Put the record of one row into the file; the other rows stay as they are."""
    rows = read(path) | {name: _finite(record)}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(json.dumps({"rows": rows}, indent=1, allow_nan=False) + "\n")
    temporary.replace(path)


def _finite(value: Any) -> Any:
    """The value with None for each number that JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
