"""The progress line: redrawn in place on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import dataclasses
import io
import math
import os
import pty
from collections.abc import Iterator

import pytest

from sac_control.training.progress import REDRAW_PERIOD, ProgressLine, progress_text
from sac_control.types import Phase, TrainingStatus

STATUS = TrainingStatus(
    run_id="0" * 32,
    run="first",
    algorithm="sac",
    phase=Phase.TRAINING,
    env_steps=1200,
    max_steps=20_000,
    episodes=31,
    updates=4000,
    policy_version=80,
    wall_time=12.0,
    last_return=211.0,
    mean_return=63.4,
    evaluation_return=math.nan,
    critic_loss=0.1,
    actor_loss=-3.0,
    alpha=0.05,
    entropy=-0.1,
    metric_names=("critic_loss",),
    metrics=(0.1,),
    steps_per_second=251.0,
    updates_per_second=1004.0,
    replay_ratio=3.996,
    target_replay_ratio=4.0,
    policy_lag=0.4,
    buffer_size=1200,
    rejected_transitions=0,
    missing_transitions=0,
    duplicate_transitions=0,
    stale_transitions=0,
    foreign_transitions=0,
    rollbacks=0,
    restorations=0,
    plants_passed=0,
    plants=24,
    eta=75.0,
)
LINE = "step 1200/20000  episodes 31  return 211 (mean 63)  1004 updates/s  ratio 4.00  policy v80  ETA 1:15"


class Terminal:
    """What a program on a terminal writes to, and what is then seen there."""

    def __init__(self) -> None:
        self._screen, theirs = pty.openpty()
        self.stream = os.fdopen(theirs, "w")

    def seen(self) -> str:
        """Everything written so far."""
        self.stream.write("END")
        self.stream.flush()
        seen = b""
        while not seen.endswith(b"END"):  # a terminal passes on what is written in pieces and a little later
            seen += os.read(self._screen, 10_000)
        return seen.decode().removesuffix("END")

    def close(self) -> None:
        self.stream.close()
        os.close(self._screen)


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
