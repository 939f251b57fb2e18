"""The progress line: redrawn in place on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import dataclasses
import io
import math
import os
from collections.abc import Iterator

import pytest

from sac_control.training.progress import (
    QUIET,
    RECORD_PERIOD,
    RECORDS,
    REDRAW_PERIOD,
    STYLE,
    ProgressLine,
    progress_on,
    progress_text,
    status_of_record,
)
from sac_control.types import Phase
from terminals import STATUS, Terminal

LINE = "step 1200/20000  episodes 31  return 211 (mean 63)  1004 updates/s  ratio 4.00  policy v80  ETA 1:15"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("COLUMNS", "120")
    terminal = Terminal()
    yield terminal
    terminal.close()


def test_line_says_how_far_a_training_is() -> None:
    assert progress_text(STATUS) == LINE


def test_line_says_on_how_many_plants_the_best_policy_is_good_once_the_task_was_solved() -> None:
    hardening = dataclasses.replace(STATUS, phase=Phase.HARDENING, plants_passed=18)
    assert progress_text(hardening) == f"hardening (18/24 plants)  {LINE}"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "0:00"),
        (59.6, "1:00"),
        (3599.0, "59:59"),
        (3600.0, "1:00:00"),
        (90061.0, "25:01:01"),
        (math.nan, "--"),
        (math.inf, "--"),
    ],
)
def test_remaining_time_is_minutes_or_hours(seconds: float, words: str) -> None:
    assert progress_text(dataclasses.replace(STATUS, eta=seconds)).endswith(f"ETA {words}")


def test_line_is_said_before_the_first_episode_too() -> None:
    status = dataclasses.replace(STATUS, last_return=math.nan, mean_return=math.nan, eta=math.nan)
    assert "return nan (mean nan)" in progress_text(status)


def test_elsewhere_a_whole_line_is_written_once_per_period() -> None:
    stream = io.StringIO()
    line = ProgressLine(stream, period=5.0)
    for tenth in range(120):
        line.show(STATUS, now=100.0 + tenth / 10)
    line.finish()
    assert stream.getvalue() == f"{LINE}\n" * 3


def test_elsewhere_sentences_come_in_between_unadorned() -> None:
    stream = io.StringIO()
    line = ProgressLine(stream, period=5.0)
    line.show(STATUS, now=0.0)
    line.say("evaluated")
    line.finish()
    assert stream.getvalue() == f"{LINE}\nevaluated\n"


def test_into_a_pipe_nothing_is_redrawn_and_nothing_waits_in_a_buffer() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        line = ProgressLine(stream, period=5.0)
        line.show(STATUS, now=0.0)
        assert os.read(reader, 10_000).decode() == f"{LINE}\n"
    os.close(reader)


def test_on_a_terminal_the_line_is_redrawn_in_place(terminal: Terminal) -> None:
    line = ProgressLine(terminal.stream, period=5.0)
    line.show(STATUS, now=0.0)
    line.show(STATUS, now=0.9 * REDRAW_PERIOD)
    line.show(STATUS, now=1.1 * REDRAW_PERIOD)
    assert terminal.seen() == f"\r\x1b[K{LINE}" * 2


def test_on_a_terminal_the_line_is_cut_to_one_row(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    ProgressLine(terminal.stream, period=5.0).show(STATUS, now=0.0)
    assert terminal.seen() == f"\r\x1b[K{LINE[:29]}"


def test_on_a_terminal_a_sentence_ends_the_line_first(terminal: Terminal) -> None:
    line = ProgressLine(terminal.stream, period=5.0)
    line.say("begins")
    line.show(STATUS, now=0.0)
    line.say("evaluated")
    line.finish()
    line.show(STATUS, now=1.0)
    line.finish()
    line.finish()
    assert terminal.seen() == f"begins\r\n\r\x1b[K{LINE}\r\nevaluated\r\n\r\x1b[K{LINE}\r\n"


def test_a_full_disk_behind_the_output_stops_nobody() -> None:
    with io.TextIOWrapper(io.FileIO("/dev/full", "w"), write_through=True) as full:  # type: ignore[arg-type]
        line = ProgressLine(full, period=5.0)
        line.say("begins")
        line.show(STATUS, now=0.0)


def test_line_of_an_on_policy_training_counts_its_updates_and_has_no_ratio() -> None:
    status = dataclasses.replace(STATUS, replay_ratio=math.nan, target_replay_ratio=math.nan, updates=13)
    assert progress_text(status) == LINE.replace("1004 updates/s  ratio 4.00", "13 updates")


def test_records_hold_the_whole_status_between_sentences_and_end_with_the_last_figures() -> None:
    stream = io.StringIO()
    records = progress_on(stream, 5.0, {STYLE: RECORDS})
    records.note("trains")
    records.show(STATUS, now=0.0)
    records.show(STATUS, now=0.9 * RECORD_PERIOD)
    last = dataclasses.replace(STATUS, env_steps=1300, phase=Phase.SOLVED)
    records.end(last, "solved")
    sentence, first, second, conclusion = stream.getvalue().rstrip("\n").split("\n")
    assert (sentence, conclusion) == ("trains", "solved")
    assert status_of_record(sentence) is None
    status = status_of_record(first)
    assert status is not None
    assert status.keys() == dataclasses.asdict(STATUS).keys()
    assert (status["phase"], status["env_steps"], status["metrics"]) == ("TRAINING", 1200, [0.1])
    ended = status_of_record(second)
    assert ended is not None
    assert (ended["phase"], ended["env_steps"]) == ("SOLVED", 1300)


def test_record_that_was_cut_off_is_no_status() -> None:
    with pytest.raises(ValueError, match="Unterminated|Expecting"):
        status_of_record('\x1e{"run": "fi')


def test_quiet_leaves_what_people_should_read_and_the_end() -> None:
    stream = io.StringIO()
    quiet = progress_on(stream, 5.0, {STYLE: QUIET})
    quiet.note("evaluated")
    quiet.show(STATUS, now=0.0)
    quiet.say("cannot write")
    quiet.end(STATUS, "solved")
    assert stream.getvalue() == "cannot write\nsolved\n"


def test_by_itself_a_learner_tells_lines() -> None:
    stream = io.StringIO()
    line = progress_on(stream, 5.0, {})
    line.note("trains")
    line.show(STATUS, now=0.0)
    line.end(STATUS, "solved")
    assert stream.getvalue() == f"trains\n{LINE}\nsolved\n"
