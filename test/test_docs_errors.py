"""Each error that the pages quote is one that the code says: docs/troubleshooting.md, and tables of others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from doc_pages import PAGES, ROOT, read

SOURCES = [*sorted((ROOT / "sac_control").rglob("*.py")), ROOT / "launch" / "view.launch.py", ROOT / "Makefile"]
HEADS = ("it says", "`cause`")  # of the first column of a table that quotes
PLACE = "…"


def quoted() -> list[tuple[str, str]]:
    """Page and text of each quotation."""
    found = []
    for path in PAGES:
        for head, cells in read(path).tables():
            if head in HEADS:
                found += [(path.name, text) for text in re.findall(r"`([^`]+)`", cells[0])]
    return found


def pieces(node: ast.expr, constants: dict[str, str]) -> Iterator[str]:
    """The text of a string or an f-string; what is put in is a placeholder, but for a constant of the file."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            if isinstance(part, ast.Constant):
                yield str(part.value)
            elif isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name):
                yield constants.get(part.value.id, PLACE)
            else:
                yield PLACE
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from (*pieces(node.left, constants), *pieces(node.right, constants))
    else:
        yield PLACE


@cache
def said(path: Path) -> str:
    """All texts of a file, one a line."""
    if path.name == "Makefile":
        return re.sub(r'"?;?" \\\n\s*"', " ", path.read_text()).replace('die "', 'die "make setup: ')
    tree = ast.parse(path.read_text())
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    texts = {"".join(pieces(node, constants)) for node in ast.walk(tree) if isinstance(node, ast.expr)}
    return "\n".join(text.replace("\n", " ") for text in sorted(texts))


def literals(text: str) -> list[str]:
    """What of a quotation stands between its placeholders; numbers, paths and punctuation may be some."""
    parts = re.split(rf"{PLACE}|\d+|/[\w/]+|[,;:()]", text)
    return [part for part in (each.strip() for each in parts) if len(part) >= 3]


def test_there_are_quotations_of_each_kind() -> None:
    assert len([text for page, text in quoted() if page == "troubleshooting.md"]) >= 25
    assert {page for page, _ in quoted()} >= {"troubleshooting.md", "hardware.md", "watching.md", "README.md"}


@pytest.mark.parametrize(("page", "text"), quoted())
def test_quoted_error_is_said_by_one_file_of_the_code(page: str, text: str) -> None:
    parts = literals(text)
    assert max(map(len, parts), default=0) >= 8, "too little to be told apart"
    assert any(all(part in said(path) for part in parts) for path in SOURCES), parts
