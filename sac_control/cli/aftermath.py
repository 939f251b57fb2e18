"""What whoever started a training does when it has ended: the command and the launch file alike.

The nodes have ended by then, or were asked to. A launch file, which must go on listening, lets a process do it:
``python -m sac_control.cli.aftermath RUN true`` draws the curve and makes the video.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sac_control.cli.filming import film_trained
from sac_control.errors import RunError
from sac_control.store.run_directory import RunDirectory


def draw(run: RunDirectory, picture: Path) -> None:
    """Write the curve of `run` into the file `picture`.

    Raises:
        RunError: a table is missing or damaged, the picture cannot be written, or matplotlib is not installed.
    """
    try:
        from sac_control.store import curve
    except ImportError as error:
        raise RunError(f"matplotlib, which draws curves, cannot be used ({error}): install it") from error
    try:
        curve.draw(run, picture)
    except OSError as error:
        elsewhere = "sac_control plot RUN --output FILE draws elsewhere"
        raise RunError(f"cannot write {picture}: {error.strerror}; {elsewhere}") from error


def draw_curve(run: RunDirectory) -> str:
    """Draw the curve of a training that has ended, or was interrupted.

    Returns:
        Why there is none, if there is none; empty, too, where the training has left no summary.
    """
    if not run.summary.exists():
        return ""
    try:
        draw(run, run.curve)
    except RunError as error:
        return str(error)
    return ""


def remove_what_never_began(run: RunDirectory) -> bool:
    """Remove a run whose training could not begin, so that the next attempt does not find that it exists already.

    Returns:
        Whether it is gone: what was learnt stays, and so do files of somebody else.
    """
    saved = {path.name for path in run.checkpoints.iterdir()} if run.checkpoints.exists() else set()
    rows = list(run.replay.iterdir()) if run.replay.exists() else []
    has_learnt = saved - {"0", "latest", "best"} or any(path.stat().st_size for path in rows)
    return not has_learnt and run.remove()


def main(path: str, is_filmed: str) -> int:
    """Draw the curve of the run at `path` and, where `is_filmed` is "true", film its best policy; tell what was made.

    Returns:
        0, whatever could not be made: the training has succeeded.
    """
    run = RunDirectory(Path(path))
    try:
        complaint = draw_curve(run)
        if complaint:
            print(f"warning: no curve: {complaint}", file=sys.stderr, flush=True)
        else:
            print(f"curve: {os.path.relpath(run.curve)}", flush=True)
        if is_filmed == "true":
            film_trained(run)
    except KeyboardInterrupt:
        print("stopped before all pictures were made: sac_control plot RUN draws the curve", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
