"""Pictures into a file: a GIF by Pillow, which matplotlib brings along, or an MP4 by imageio-ffmpeg, an extra."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sac_control.errors import ConfigError, RunError

KINDS = (".gif", ".mp4")
_COLORS = 64  # of a GIF, the same in all pictures: what does not move then costs nothing


def check_kind(path: Path) -> None:
    """See that a video can be written to `path`.

    Raises:
        ConfigError: its ending is not one of `KINDS`, a package is missing, or nothing can be written there.
    """
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise ConfigError(f"the video {str(path)!r} ends with {kind!r}: expected one of {', '.join(KINDS)}")
    package, name = ("imageio_ffmpeg", "imageio-ffmpeg") if kind == ".mp4" else ("PIL", "pillow")
    if importlib.util.find_spec(package) is None:
        other = "; a .gif needs none" if kind == ".mp4" else ""
        raise ConfigError(
            f"{name}, which writes {kind}, is not installed: {sys.executable} -m pip install {name}{other}"
        )
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ConfigError(f"the video {str(path)!r} cannot be written: name another file")


def write_video(path: Path, pictures: Sequence[NDArray[np.uint8]], fps: int) -> None:
    """Replace the file at `path` by a video of pictures, (height, width, 3) each, that is whole or not there.

    Raises:
        RunError: it cannot be written.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        (_write_mp4 if path.suffix.lower() == ".mp4" else _write_gif)(temporary, pictures, fps)
        temporary.replace(path)
    except (OSError, RuntimeError) as error:  # the latter is ffmpeg's
        reason = getattr(error, "strerror", None) or str(error).strip().partition("\n")[0]
        raise RunError(f"cannot write the video {path}: {reason}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _write_gif(path: Path, pictures: Sequence[NDArray[np.uint8]], fps: int) -> None:
    from PIL import Image

    middle = Image.fromarray(pictures[len(pictures) // 2]).quantize(_COLORS, dither=Image.Dither.NONE)
    frames = [Image.fromarray(each).quantize(palette=middle, dither=Image.Dither.NONE) for each in pictures]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=1000 // fps, loop=0, optimize=False)


def _write_mp4(path: Path, pictures: Sequence[NDArray[np.uint8]], fps: int) -> None:
    import imageio_ffmpeg

    height, width = (size // 2 * 2 for size in pictures[0].shape[:2])  # H.264 has no odd sizes
    writer = imageio_ffmpeg.write_frames(
        str(path), (width, height), fps=fps, macro_block_size=2, output_params=["-movflags", "+faststart"]
    )
    try:
        writer.send(None)
    except IndexError as error:  # it reads what the program says of itself
        raise RuntimeError(f"{imageio_ffmpeg.get_ffmpeg_exe()} is no ffmpeg, or does not run") from error
    try:
        for picture in pictures:
            writer.send(np.ascontiguousarray(picture[:height, :width]))
    finally:
        writer.close()
