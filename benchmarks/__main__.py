"""`make bench`: measures the rows of the table one after the other, and writes results.json, the page and its plots."""

from __future__ import annotations

import argparse
import functools
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from benchmarks import machine, peer_environment, plots, report, results
from benchmarks.options import FULL, QUICK, SMOKE, NotAvailableError, Options
from benchmarks.rows import ROWS, Row

QUIET = 0.3  # cores that other processes may keep busy without a warning
_FORMS = {"full": FULL, "quick": QUICK, "smoke": SMOKE}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 unless a row could not be measured."""
    chosen = _parse(arguments)
    if chosen.list:
        for row in ROWS:
            print(f"{row.NAME:18} {(row.__doc__ or '').splitlines()[0]}")
        return 0
    file = chosen.into / "benchmarks" / "results.json"
    failed: list[str] = []
    try:
        if not chosen.report:
            if chosen.cores:
                os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-chosen.cores :])
            failed = _measure(chosen, file)
    finally:  # what an interrupted run has is shown, too
        _write_report(chosen.into / "docs", results.read(file))
    if failed:
        print(f"error: not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _measure(chosen: argparse.Namespace, file: Path) -> list[str]:
    """Measure the chosen rows; the names of those that could not be."""
    form = _FORMS[chosen.form]
    rows = [row for row in ROWS if (row.NAME in chosen.rows if chosen.rows else form is FULL or not row.IS_LONG)]
    prepare = peer_environment.existing if chosen.peers else peer_environment.prepare
    failed, began = [], time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sac_control-bench-") as directory:
        for place, row in enumerate(rows):
            minutes = (time.monotonic() - began) / 60.0
            print(f"[{place + 1}/{len(rows)}, {minutes:.0f} min] {row.NAME}: {row.TITLE}", flush=True)
            record = _Record(
                file, row, form.name if chosen.seeds is None else f"{form.name}, at most {chosen.seeds} seeds"
            )
            options = Options(
                form=form,
                first_seed=chosen.first_seed,
                seed_limit=chosen.seeds,
                directory=Path(directory),
                peers=functools.cache(
                    functools.partial(prepare, (chosen.peers or peer_environment.DEFAULT_DIRECTORY).absolute())
                ),
                keep=record.keep,
                say=lambda text: print(f"  {text}", flush=True),
            )
            try:
                record.finish(row.measure(options))
            except NotAvailableError as error:
                record.fail(str(error))
                failed.append(row.NAME)
            except Exception as error:  # noqa: BLE001 (a row that breaks must not cost the others their hour)
                record.fail(f"{type(error).__name__}: {error}")
                failed.append(row.NAME)
            print(report.plain(row, results.read(file)[row.NAME]), flush=True)
    return failed


class _Record:
    """The record of one row in results.json, as far as it is."""

    def __init__(self, file: Path, row: Row, form: str) -> None:
        self._file, self._name = file, row.NAME
        self._began = time.monotonic()
        self._result: dict[str, Any] | None = None
        busy = machine.busy_cores()
        if busy > QUIET:
            print(f"  other processes keep {busy:.1f} cores busy: timings will suffer", flush=True)
        self._fixed = {
            "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "commit": machine.commit(),
            "form": form,
            "machine": machine.describe(),
            "busy_cores": round(busy, 2),
        }

    def keep(self, result: dict[str, Any]) -> None:
        """What there is, marked as interrupted until more comes."""
        self._result = result
        self._write({"error": "it ended before it was complete", "result": result})

    def finish(self, result: dict[str, Any]) -> None:
        """All there is."""
        self._write({"result": result})

    def fail(self, reason: str) -> None:
        """Not more than there is, and why."""
        self._write({"error": reason} | ({} if self._result is None else {"result": self._result}))

    def _write(self, content: dict[str, Any]) -> None:
        now = {"seconds": round(time.monotonic() - self._began, 1)}
        results.merge(self._file, self._name, {**self._fixed, **now, **content})


def _write_report(directory: Path, rows: dict[str, Any]) -> None:
    if not rows:
        return
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "benchmarks.md").write_text(report.render(rows))
    written = plots.draw(rows, directory)
    print(f"wrote {directory / 'benchmarks.md'}" + "".join(f", {path.name}" for path in written))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure the package beside its peers.")
    parser.add_argument("--quick", dest="form", action="store_const", const="quick", help="less, below 10 minutes")
    parser.add_argument(
        "--smoke", dest="form", action="store_const", const="smoke", help="whether each row runs at all"
    )
    parser.add_argument("--rows", type=_row_names, metavar="A,B", help="these rows only; the others keep their figures")
    parser.add_argument("--seeds", type=int, metavar="N", help="no more than N seeds of each training")
    parser.add_argument("--first-seed", type=int, default=0, metavar="N", help="first seed (default: %(default)s)")
    parser.add_argument("--cores", type=int, metavar="N", help="use N cores only (default: all)")
    parser.add_argument("--peers", type=Path, metavar="DIR", help="the peers' environment, made already")
    parser.add_argument(
        "--into", type=Path, default=machine.ROOT, metavar="DIR", help="write benchmarks/ and docs/ there"
    )
    parser.add_argument("--report", action="store_true", help="measure nothing, write the page and the plots again")
    parser.add_argument("--list", action="store_true", help="list the rows")
    parser.set_defaults(form="full")
    return parser.parse_args(arguments)


def _row_names(text: str) -> list[str]:
    names, known = text.split(","), [row.NAME for row in ROWS]
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"row {name!r} is not known: expected some of {', '.join(known)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
