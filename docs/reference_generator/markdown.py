"""Markdown of the generated pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def plain(text: str) -> str:
    """Text that is shown letter by letter."""
    return re.sub(r"([\\|<>*_$`\[\]~])", r"\\\1", text)


def code(text: object) -> str:
    """A value as it is typed; nothing where there is none."""
    return f"`{text}`".replace("|", r"\|") if str(text) else ""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; its cells are Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def page(title: str, *parts: str) -> str:
    """A page of its parts."""
    return "\n".join([f"# {title}\n", *parts])
