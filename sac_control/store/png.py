"""Pictures as PNG files."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray


def png(picture: NDArray[np.uint8]) -> bytes:
    """`picture`, (height, width, 3) uint8, as the content of a PNG file."""
    from matplotlib import image  # it takes a second to load

    file = io.BytesIO()
    image.imsave(file, picture, format="png")
    return file.getvalue()
