"""Standard output and error of a process whose reader may be gone, or that never had one."""

from __future__ import annotations

import io
import os
import sys


class _Stream(io.TextIOWrapper):
    """A text stream that is silent from then on where its reader is gone, as in `… | head -1`."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except BrokenPipeError:
            self._fall_silent()
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            self._fall_silent()

    def _fall_silent(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())  # what still waits in a buffer goes there, too
        os.close(nowhere)


def outlive_readers() -> None:
    """Let the process go on where nobody reads its output any more, or where it was started without one (``>&-``)."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:  # closed: the next file that is opened would take its number
            os.open(os.devnull, os.O_RDWR)
    sys.stdout, sys.stderr = _outliving(sys.stdout, 1), _outliving(sys.stderr, 2)


def _outliving(stream: object, number: int) -> _Stream:
    if stream is None:
        return _Stream(os.fdopen(number, "wb", closefd=False), errors="replace", line_buffering=True)
    if type(stream) is not io.TextIOWrapper:  # done before, or somebody else's
        return stream  # type: ignore[return-value]
    return _Stream(
        stream.buffer,
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
