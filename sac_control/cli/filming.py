"""Videos that the command makes: of an evaluated policy on request, of the best policy of a training by itself."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from sac_control.cli.named import find_policy, task_of
from sac_control.errors import SacControlError
from sac_control.policy.policy_file import PolicyFile
from sac_control.store.run_directory import RunDirectory
from sac_control.system import preflight
from sac_control.tasks.engine_choice import choose_engine

_EVALUATED_SECONDS, _EVALUATED_SIZE, _EVALUATED_FPS = 10.0, (480, 360), 25
_TRAINED_SECONDS, _TRAINED_SIZE, _TRAINED_FPS = 4.0, (400, 300), 20
_TRAINED_SEED = 3_000_000  # of a start that no training or evaluation with a smaller seed has used


def check_video(path: Path) -> None:
    """See that a video can be written to `path`, before anything is started for it.

    Raises:
        ConfigError: see `encoding.check_kind`; or Gymnasium is missing.
    """
    preflight.check_packages(preflight.SIMULATION)
    from sac_control.video.encoding import check_kind

    check_kind(path)


def film_evaluated(policy: Path, run: RunDirectory | None, *, task: str, engine: str, seed: int, video: Path) -> None:
    """Write a video of the policy file `policy`, which is of `run`, if of any.

    Raises:
        ConfigError: the task is unknown, or cannot be shown.
        RunError: the video cannot be written.
    """
    from sac_control.video.encoding import write_video
    from sac_control.video.film import Take, film

    file = PolicyFile.read(policy)
    reference, trained_in, asked = task_of(file.specification, run, task)
    chosen, _ = choose_engine(asked, engine or trained_in)
    take = Take(seconds=_EVALUATED_SECONDS, size=_EVALUATED_SIZE, fps=_EVALUATED_FPS, seed=seed)
    write_video(video, film(file, reference, "" if chosen == asked.engine else chosen, take), take.fps)


def film_trained(run: RunDirectory, *, is_quiet: bool = False) -> None:
    """Write ``best.gif`` of a run, of its best policy, if it has one, and say so, or why there is none.

    Args:
        run: a training that is over, and its time told.
        is_quiet: whether to say the latter alone.
    """
    started = time.monotonic()
    complaint = _film_trained(run)
    if complaint:
        print(f"warning: no video: {complaint}", file=sys.stderr)
    elif run.video.exists() and not is_quiet:
        print(f"video: {os.path.relpath(run.video)}, made in {time.monotonic() - started:.1f} s more")


def _film_trained(run: RunDirectory) -> str:
    """Why there is no video, if there is none; empty, too, where no policy was evaluated."""
    if not (run.checkpoints / "best").exists():
        return ""
    try:
        check_video(run.video)
        from sac_control.video.encoding import write_video
        from sac_control.video.film import Take, film

        file = PolicyFile.read(find_policy(str(run.path), run.path.parent)[0])
        reference, engine, _ = task_of(file.specification, run)
        take = Take(seconds=_TRAINED_SECONDS, size=_TRAINED_SIZE, fps=_TRAINED_FPS, seed=_TRAINED_SEED)
        write_video(run.video, film(file, reference, engine, take), take.fps)
    except SacControlError as error:
        return str(error)
    return ""
