"""Standard output and error of a process whose reader may be gone, or that never had one."""

from __future__ import annotations

import io
import os
import sys

from sac_control.errors import SacControlError


class OutputError(SacControlError, OSError):
    """What was to be told could not be written, as where the disk is full."""


class _Stream(io.TextIOWrapper):
    """A text stream that is silent from then on where its reader is gone, as in `… | head -1`."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except BrokenPipeError:
            self.fall_silent()
        except OSError as error:
            raise OutputError(f"cannot write the output: {error.strerror}") from error
        return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            self.fall_silent()
        except OSError as error:
            raise OutputError(f"cannot write the output: {error.strerror}") from error

    def fall_silent(self) -> None:
        """Let all that comes go nowhere, and what still waits in a buffer, too."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def finish() -> str:
    """Write what still waits; why that is not possible, if so."""
    complaint = ""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OutputError as error:
            complaint = str(error)
            if isinstance(stream, _Stream):
                stream.fall_silent()
    return complaint


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
