"""Long work in short pieces, so that a control tick can come between any two of them. Knows nothing of the work itself.

A function that works in pieces is a generator: it yields where it may be left for a while, and returns its result.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

Result = TypeVar("Result")
Pieces = Generator[None, None, Result]

BLOCK = 2**14  # bytes that are hashed in one piece: 0.1 ms on a processor without instructions for it


def completed(pieces: Pieces[Result]) -> Result:
    """Do all pieces, one right after the other; what they raise is raised here."""
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            result: Result = end.value
            return result


def hash_in_pieces(digest: Any, data: bytes | memoryview) -> Pieces[None]:
    """Update a digest of `hashlib` with `data`."""
    with memoryview(data).cast("B") as view:
        for start in range(0, len(view), BLOCK):
            digest.update(view[start : start + BLOCK])
            yield
