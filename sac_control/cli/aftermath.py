"""What whoever started a training does when it has ended: the command and the launch file alike."""

from __future__ import annotations

from pathlib import Path

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


def draw_missing_curve(run: RunDirectory) -> str:
    """Draw the curve of a training that was interrupted, and hence left that to others: it must end quickly.

    Returns:
        Why there is none, if there is none.
    """
    if not run.summary.exists() or run.has_current_curve:
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
