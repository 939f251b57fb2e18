"""What the site adds to Sphinx: equations as MathML, and links to files of the repository that are no pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import latex2mathml.converter
from docutils import nodes

from reference_generator import FOLDER, copies


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    app.connect("source-read", _on_source)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _on_source(app: Any, name: str, content: list[str]) -> None:
    """Lead a link to a page at the root of the repository to its copy; what is no page of the site is named only."""

    def to(found: re.Match[str]) -> str:
        words, path, anchor = found.groups(default="")
        copied = copies.COPIED.get(path)
        place = "" if name.startswith(FOLDER) else f"{FOLDER}/"
        return f"[{words}]({place}{copied}{anchor})" if copied else f"`{Path(path)}`"

    content[0] = re.sub(
        r"\[([^\]]*)\]\((?:\.\./)+((?:test|config|sac_control)/[^)#]*|[A-Z]+\.md|package\.xml|LICENSE)(#[^)]*)?\)",
        to,
        content[0],
    )


def _visit_inline(translator: Any, node: nodes.Element) -> None:
    _visit(translator, node, "inline")


def _visit_block(translator: Any, node: nodes.Element) -> None:
    _visit(translator, node, "block")


def _visit(translator: Any, node: nodes.Element, display: str) -> None:
    translator.body.append(latex2mathml.converter.convert(node.astext(), display=display))
    raise nodes.SkipNode
