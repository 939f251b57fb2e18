"""What the pages for people hold: blocks, inline code, links, headings. Reads Markdown as far as these pages use it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *DOCS.glob("*.md"))
    if path.name != "CHANGELOG.md"  # which tells what was, too
)


@dataclass
class Page:
    """One page, taken apart."""

    path: Path
    prose: list[str] = field(default_factory=list)  # lines outside of blocks
    blocks: list[tuple[str, str]] = field(default_factory=list)  # language, text

    @property
    def text(self) -> str:
        """All of it but the blocks."""
        return "\n".join(self.prose)

    def of(self, language: str) -> list[str]:
        """The blocks in a language."""
        return [text for name, text in self.blocks if name == language]

    def inline(self) -> list[str]:
        """What stands between backticks."""
        return [each[1].replace(r"\|", "|").strip() for each in re.findall(r"(`+)(.+?)(?<!`)\1(?!`)", self.text)]

    def links(self) -> list[str]:
        """Where links and pictures lead."""
        return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", self.text))

    def pictures(self) -> list[str]:
        """Files that are shown."""
        return re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", self.text) + re.findall(r"<img[^>]*src=\"([^\"]+)\"", self.text)

    def anchors(self) -> set[str]:
        """Names of the headings, as GitHub and MyST make them."""
        titles = [line.lstrip("#").strip() for line in self.prose if re.match(r"#{1,4} ", line)]
        return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", title).lower()).replace(" ", "-") for title in titles}

    def tables(self) -> Iterator[tuple[str, list[str]]]:
        """Each row of a table: the head of its first column, and the row's cells."""
        head = ""
        for before, line in zip(["", *self.prose], self.prose, strict=False):
            if not line.lstrip().startswith("|"):
                head = ""
                continue
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
            if not before.lstrip().startswith("|"):
                head = cells[0]
            elif not set(line) <= set("|-: "):
                yield head, cells


@cache
def read(path: Path) -> Page:
    """A page by its file."""
    page, fence = Page(path), ""
    for line in path.read_text().splitlines():
        opening = re.match(r"\s*(```+)(.*)", line)
        if fence and line.strip() == fence:
            fence = ""
        elif fence:
            language, text = page.blocks[-1]
            page.blocks[-1] = language, f"{text}{line}\n"
        elif opening:
            fence = opening[1]
            page.blocks.append((opening[2].strip(), ""))
        else:
            page.prose.append(line)
    return page
