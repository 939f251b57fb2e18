"""What is written into each picture of a video: time, version of the policy, and an arrow for each command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_INK, _ARROW, _AXIS = (40, 44, 52), (200, 60, 40), (150, 156, 164)
_ROW = 24  # [pixels] height of the line of a command
_TEXT = 14  # [pixels] height of letters
_MARGIN, _HEAD = 8, 6  # [pixels] to the edge; of an arrow


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command."""

    name: str  # of the joint or action
    share: float  # of its limit, in [-1, 1]
    text: str  # value and unit


def labelled(picture: NDArray[np.uint8], title: str, commands: Sequence[Command]) -> NDArray[np.uint8]:
    """`picture`, (height, width, 3), with `title` at its top and the commands at its bottom."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    draw.text((_MARGIN, _MARGIN), title, fill=_INK, font=_font())
    for row, command in enumerate(reversed(commands)):
        middle = image.height - _MARGIN - _ROW * row - _ROW // 2
        draw.text((_MARGIN, middle - _TEXT // 2 - 2), f"{command.name} {command.text}", fill=_INK, font=_font())
        _draw_arrow(draw, 0.75 * image.width, middle, 0.2 * image.width, command.share)
    return np.asarray(image, np.uint8)


def _draw_arrow(draw: ImageDraw.ImageDraw, center: float, y: float, longest: float, share: float) -> None:
    """From the middle of an axis, which is as long to either side as a command at its limit."""
    draw.line([(center - longest, y), (center + longest, y)], fill=_AXIS, width=1)
    draw.line([(center, y - 4), (center, y + 4)], fill=_AXIS, width=1)
    tip, side = center + longest * share, 1 if share > 0 else -1
    if abs(tip - center) < 1.0:
        return
    neck = tip - side * min(_HEAD, abs(tip - center))
    draw.line([(center, y), (neck, y)], fill=_ARROW, width=4)
    draw.polygon([(tip, y), (neck, y - _HEAD), (neck, y + _HEAD)], fill=_ARROW)


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(_TEXT)
