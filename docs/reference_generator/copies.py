"""Pages of the site that stand at the root of the repository, where people look for them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = {  # name there: name here
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}


def copies() -> dict[str, str]:
    """The text of each, with links that hold where it is shown."""
    return {name: _moved((ROOT / source).read_text()) for source, name in COPIED.items()}


def _moved(text: str) -> str:
    """Links from the root, as links from docs/reference/."""
    text = re.sub(r"\]\(docs/", "](../", text)
    return re.sub(r"\]\((?!\.\./|https?:|#)", "](../../", text)
