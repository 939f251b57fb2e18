"""One HTML page that needs nothing else: pictures are in it, no script, and no request leaves it.

Knows what a section, a table and a picture are, and not what they are about.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from pathlib import Path

# A browser that keeps to it loads nothing from anywhere, whatever stands in the page.
_POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"
_TYPES = {".png": "image/png", ".gif": "image/gif", ".mp4": "video/mp4"}
_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.2rem; border-bottom: 1px solid #8884; }
table { border-collapse: collapse; margin: .6rem 0; display: block; overflow-x: auto; }
th, td { padding: .15rem .9rem .15rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #8882; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
img, video { max-width: 100%; height: auto; background: #fff; }
pre { overflow-x: auto; padding: .8rem; background: #8881; font-size: 13px; }
.note { color: #777; }
"""


def page(title: str, subtitle: str, sections: Sequence[tuple[str, str]]) -> str:
    """The page, of sections with a heading and HTML each."""
    body = "\n".join(f"<section><h2>{html.escape(heading)}</h2>\n{content}</section>" for heading, content in sections)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>\n"
        f'<body><h1>{html.escape(title)}</h1><p class="note">{html.escape(subtitle)}</p>\n{body}\n</body></html>\n'
    )


def paragraph(text: str, *, is_note: bool = False) -> str:
    """A paragraph."""
    kind = ' class="note"' if is_note else ""
    return f"<p{kind}>{html.escape(text)}</p>\n"


def values(content: Mapping[str, object]) -> str:
    """A table of names and values."""
    rows = "".join(f"<tr><th>{html.escape(name)}</th><td>{_text(value)}</td></tr>\n" for name, value in content.items())
    return f"<table>\n{rows}</table>\n"


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table with headings."""
    head = "".join(f"<th>{html.escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>\n" for row in rows)
    return f"<table><tr>{head}</tr>\n{body}</table>\n"


def text_block(heading: str, text: str) -> str:
    """Text as it stands, behind a heading that opens it."""
    return f"<details><summary>{html.escape(heading)}</summary><pre>{html.escape(text)}</pre></details>\n"


def picture(path: Path, description: str) -> str:
    """The picture or video at `path`.

    Raises:
        OSError: it cannot be read.
    """
    kind = _TYPES[path.suffix.lower()]
    source = f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
    alternative = html.escape(description, quote=True)
    if kind.startswith("video"):
        return f'<video src="{source}" aria-label="{alternative}" autoplay loop muted controls></video>\n'
    return f'<img src="{source}" alt="{alternative}">\n'


def _cell(value: object) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    kind = ' class="number"' if is_number else ""
    return f"<td{kind}>{_text(value)}</td>"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "–" if value is None or value == "" else html.escape(str(value))
