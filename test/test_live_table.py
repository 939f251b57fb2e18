"""The table of a training on a terminal."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import os
import sys
from collections.abc import Iterator

import pytest
from rich.console import Console

from sac_control.cli import voice as voices
from sac_control.cli.live_table import LiveTable, sparkline
from sac_control.training.progress import QUIET, RECORDS, STYLE, ProgressRecords
from sac_control.types import Phase, TrainingStatus
from terminals import STATUS


class Screen:
    """A table on a terminal of that width, and all that was written there."""

    def __init__(self, width: int) -> None:
        self._stream = io.StringIO()
        self.console = Console(file=self._stream, force_terminal=True, width=width, height=30, color_system=None)
        self.table = LiveTable(self.console)

    @property
    def seen(self) -> str:
        return self._stream.getvalue()

    def show(self, status: TrainingStatus) -> None:
        record = io.StringIO()
        ProgressRecords(record).show(status, 0.0)
        self.table.hear(record.getvalue().rstrip("\n"))


@pytest.fixture
def screen() -> Iterator[Screen]:
    screen = Screen(100)
    yield screen
    screen.table.close()


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([], ""),
        ([math.nan], ""),
        ([5.0], "▁"),
        ([5.0, 5.0], "▁▁"),
        ([0.0, 1.0], "▁█"),
        ([0.0, 2.0, 4.0, 6.0, 7.0], "▁▃▅▇█"),
        ([0.0, math.nan, 7.0], "▁ █"),
        ([-10.0, -3.0], "▁█"),
    ],
)
def test_sparkline_has_a_bar_for_each_value(values: list[float], bars: str) -> None:
    assert sparkline(values) == bars


def test_table_shows_the_figures_of_the_newest_record(screen: Screen) -> None:
    screen.show(STATUS)
    screen.show(dataclasses.replace(STATUS, env_steps=1300, last_return=987.0, episodes=32, policy_version=91))
    for figure in ("1300/20000 transitions", "987", "v91", "1:15", "4.00", "critic loss"):
        assert figure in screen.seen
    assert "returns ▁█ 211 to 987" in screen.seen


def test_table_counts_plants_once_the_task_was_solved(screen: Screen) -> None:
    screen.show(dataclasses.replace(STATUS, phase=Phase.HARDENING, plants_passed=18))
    assert "18/24 plants" in screen.seen


def test_best_evaluation_is_kept(screen: Screen) -> None:
    for value in (100.0, 950.5, 20.0):
        screen.show(dataclasses.replace(STATUS, evaluation_return=value))
    shown = screen.seen.rpartition("first training")[2]
    assert "20.0" in shown
    assert "950.5" in shown


def test_sentences_are_printed_as_they_stand(screen: Screen) -> None:
    screen.show(STATUS)
    screen.table.hear("[bold] 12 of [/x] :smile: 1.5")
    assert "[bold] 12 of [/x] :smile: 1.5" in screen.seen


def test_conclusion_comes_below_the_table(screen: Screen) -> None:
    screen.show(STATUS)
    screen.show(dataclasses.replace(STATUS, phase=Phase.SOLVED))
    screen.table.hear("solved after 1200 transitions")
    assert screen.seen.rstrip().endswith("solved after 1200 transitions")


def test_record_that_was_cut_off_is_left_out(screen: Screen) -> None:
    screen.table.hear("\x1e" + json.dumps({"run": "first"})[:-3])
    assert screen.seen == ""


def test_table_fits_a_narrow_terminal() -> None:
    screen = Screen(50)
    screen.show(dataclasses.replace(STATUS, run="a" * 80))
    screen.table.close()
    lines = [line for line in screen.seen.replace("\x1b", "\n").splitlines() if not line.startswith("[")]
    assert lines
    assert max(map(len, lines)) <= 50


def test_table_of_an_on_policy_training_has_no_replay_ratio(screen: Screen) -> None:
    screen.show(dataclasses.replace(STATUS, target_replay_ratio=math.nan, replay_ratio=math.nan))
    assert "replay ratio" not in screen.seen


def test_table_before_the_first_episode_says_that_nothing_is_known(screen: Screen) -> None:
    nothing = dict.fromkeys(("last_return", "mean_return", "evaluation_return", "eta"), math.nan)
    screen.show(dataclasses.replace(STATUS, episodes=0, **nothing))  # type: ignore[arg-type]
    assert "nan" not in screen.seen
    assert "--" in screen.seen


# who tells


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_learner_talks_itself_where_there_is_no_terminal() -> None:
    environment = {"TERM": "xterm", STYLE: RECORDS}
    with voices.voice(environment, is_quiet=False) as hear:
        assert hear is None
    assert STYLE not in environment


@pytest.mark.parametrize(("term", "is_table"), [("xterm", True), ("dumb", False), ("", False)])
def test_table_needs_a_terminal_that_redraws(monkeypatch: pytest.MonkeyPatch, term: str, is_table: bool) -> None:
    monkeypatch.setattr(sys, "stdout", Tty())
    environment = {"TERM": term} if term else {}
    with voices.voice(environment, is_quiet=False) as hear:
        assert (hear is not None) == is_table
    assert environment.get(STYLE) == (RECORDS if is_table else None)


def test_without_rich_the_learner_redraws_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Tty())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with voices.voice({"TERM": "xterm"}, is_quiet=False) as hear:
        assert hear is None


def test_quiet_is_quiet_on_a_terminal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Tty())
    environment = {"TERM": "xterm", "HOME": os.sep}
    with voices.voice(environment, is_quiet=True) as hear:
        assert hear is None
    assert environment[STYLE] == QUIET
