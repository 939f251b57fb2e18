"""Pictures as PNG files, by the standard library alone."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRUECOLOUR = 8, 2, 0, 0, 0  # bits per sample, kind, and the only compression, filters and order there are


def png(picture: NDArray[np.uint8]) -> bytes:
    """`picture`, (height, width, 3) uint8, as a PNG file."""
    height, width, _ = picture.shape
    rows = np.pad(np.ascontiguousarray(picture).reshape(height, 3 * width), ((0, 0), (1, 0)))  # filter 0: none
    header = struct.pack(">II5B", width, height, *_TRUECOLOUR)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows.tobytes())) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
