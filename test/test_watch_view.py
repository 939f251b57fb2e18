"""The view of a run before, while and after it is written; and what it says where there is nothing to see."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import viser

from ros_world import PATIENCE
from sac_control.cli.main import main, parse
from sac_control.cli.watch import WatchOptions, finder, open_browser, subject_of
from sac_control.errors import ConfigError, RunError
from sac_control.store.run_directory import RunDirectory
from sac_control.store.where import Where
from sac_control.watch import view as view_module
from sac_control.watch.page import Page
from sac_control.watch.run_files import RunFiles
from sac_control.watch.server import close_server, open_server
from sac_control.watch.view import View
from watch_pages import client, free_port, make_run, read_until, record_swing, words_on

FORMAT_1 = Path(__file__).parent / "data" / "run_format_1"


class Silent:
    """A feed that says what the test wants."""

    made: ClassVar[list[Silent]] = []

    def __init__(self) -> None:
        self.news: list[dict[str, Any]] = []
        self.heard_at: str | None = None
        self.is_alive = True
        Silent.made.append(self)

    def listen(self, environment: object, namespace: str, *, with_states: bool) -> None:
        self.heard_at, self.with_states = namespace, with_states

    def take(self) -> list[dict[str, Any]]:
        news, self.news = self.news, []
        return news

    def close(self) -> None:
        self.is_alive = False


@pytest.fixture
def server() -> Iterator[viser.ViserServer]:
    Silent.made.clear()
    server = open_server(free_port(), "test")
    yield server
    close_server(server)


def make_view(server: viser.ViserServer, *words: str, robot: Where | None = None) -> View:
    _, options = parse(["watch", *words])
    return View(Page(server), finder(options), Silent, lambda where: {}, robot)  # type: ignore[arg-type]


def state(number: int, period: float = 0.02) -> dict[str, Any]:
    names = ["cart_to_pendulum", "slider_to_cart"]  # not in the order of the specification
    return {"t": int(1e9 * period * number), "names": names, "position": [0.3, 0.1 * number], "velocity": [1.0, 2.0]}


def live(feed: Silent, first: int, count: int, speed: float) -> None:
    states = [state(first + k) for k in range(count)]
    actions = [{"t": each["t"], "version": 4, "mode": 2, "region": 1, "command": [7.0]} for each in states]
    feed.news.append(
        {"states": states, "actions": actions, "speed": speed, "learner/status": {"phase": 2, "env_steps": 77}}
    )


def test_run_that_has_ended_is_shown_from_its_files(server: viser.ViserServer, tmp_path: Path) -> None:
    view = make_view(server, str(make_run(tmp_path / "a_run")))
    with client(server.get_port()) as connection:
        view.step(0.0)
        until = time.monotonic() + PATIENCE
        while not server.get_clients():
            assert time.monotonic() < until
            time.sleep(0.01)
        view.step(10.0)
        found = read_until(connection, lambda found: "a&#95;run: solved, ended" in words_on(found))
    words = words_on(found)
    for text in (
        "| transitions | 30 |",
        "| exam | passed, worst: heavy pole |",
        "| last evaluation | 1000 |",
        "0.0625",
    ):
        assert text in words
    assert "no transition was recorded" in words
    kinds = [each["type"] for each in found]
    assert kinds.count("MeshMessage") == 7  # rail, cart and its caps, pole and its caps
    assert sum("Uplot" in kind for kind in kinds) == 3  # returns, losses, temperature


def test_training_that_begins_later_is_found_by_where_it_says_it_speaks(
    server: viser.ViserServer, tmp_path: Path
) -> None:
    view = make_view(server, "--runs-dir", str(tmp_path / "runs"))
    view.step(0.0)
    assert [feed.heard_at for feed in Silent.made] == [None]  # loaded, and waits
    path = make_run(tmp_path / "runs" / "later", mode="realtime")
    (path / "summary.json").unlink()
    run = RunDirectory(path)
    run.lock()
    Where(domain=5, discovery="LOCALHOST", namespace="/training").write(path)
    view.step(1.0)
    assert [(feed.heard_at, feed.with_states) for feed in Silent.made] == [("/training", True)]
    live(Silent.made[0], 0, 5, speed=1.0)
    view.step(2.0)
    newest = view._motion.until(2.0)[-1]
    assert newest.position == (0.4, 0.3)  # slider, pendulum
    assert newest.command == (7.0,)
    assert "training" in view._about_training()
    assert "| transitions | 77 |" in view._about_training()
    assert view._about_motion() == "**live**"
    assert "| mode | active |" in view._about_policy()
    run.unlock()
    view.step(3.0)
    assert not Silent.made[0].is_alive
    assert "ended" in view._about_training()


def test_training_in_lockstep_is_shown_from_what_it_records_and_not_from_its_states(
    server: viser.ViserServer, tmp_path: Path
) -> None:
    path = make_run(tmp_path / "quick")
    run = RunDirectory(path)
    run.lock()
    Where(domain=5, discovery="LOCALHOST", namespace="/training").write(path)
    record_swing(path, 300)
    view = make_view(server, str(path))
    view.step(0.0)
    assert [feed.with_states for feed in Silent.made] == [False]  # every subscriber to every state would cost
    record_swing(path, 900)
    view.step(1.5)
    shown, later = view._motion.until(1.5)[-1], view._motion.until(2.0)[-1]
    assert shown.position != later.position
    assert "6 times faster than real" in view._about_motion() or "7 times faster" in view._about_motion()
    run.unlock()


def test_training_that_records_nothing_is_shown_from_its_states(server: viser.ViserServer, tmp_path: Path) -> None:
    path = make_run(tmp_path / "unrecorded")
    run = RunDirectory(path)
    run.lock()
    Where(domain=5, discovery="LOCALHOST", namespace="/training").write(path)
    view = make_view(server, str(path))
    view.step(0.0)
    Silent.made[0].news.append({"learner/status": {"phase": 2, "env_steps": 5000}})
    view.step(1.0)
    view.step(2.0)
    assert [feed.with_states for feed in Silent.made] == [False, True]
    run.unlock()


def test_fast_time_is_shown_at_its_own_pace_and_said_to_be(server: viser.ViserServer, tmp_path: Path) -> None:
    path = make_run(tmp_path / "fast")
    view = make_view(server, str(path), robot=Where(domain=0, discovery="", namespace="/"))
    view.step(0.0)
    live(Silent.made[0], 100, 50, speed=40.0)
    view.step(1.0)
    assert view._motion.until(1.0)[-1].position[0] == pytest.approx(10.0)
    assert view._motion.until(1.5)[-1].position[0] == pytest.approx(12.5)
    assert "40 times faster than real" in view._about_motion()


def test_browser_that_comes_late_sees_all_that_was_before(server: viser.ViserServer, tmp_path: Path) -> None:
    view = make_view(server, str(make_run(tmp_path / "early")))
    view.step(0.0)
    with client(server.get_port()) as connection:
        found = read_until(connection, lambda found: sum("Uplot" in each["type"] for each in found) == 3)
    assert [each["type"] for each in found].count("MeshMessage") == 7


def test_watching_writes_nothing(server: viser.ViserServer, tmp_path: Path) -> None:
    path = make_run(tmp_path / "kept")
    before = {each: (each.read_bytes(), each.stat().st_mtime_ns) for each in path.rglob("*")}
    view = make_view(server, str(path))
    for k in range(5):
        view.step(float(k))
    assert {each: (each.read_bytes(), each.stat().st_mtime_ns) for each in path.rglob("*")} == before


def test_machine_that_cannot_be_drawn_is_said_and_the_rest_is_shown(
    server: viser.ViserServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise ConfigError("mesh arm.stl is missing")

    monkeypatch.setattr(view_module, "draw", refuse)
    view = make_view(server, str(make_run(tmp_path / "blind")))
    view.step(0.0)
    assert view._refusal == "*The machine is not drawn: mesh arm.stl is missing*"
    assert "1000" in view._about_training()


def test_returns_have_each_point_where_it_belongs(tmp_path: Path) -> None:
    files = RunFiles(make_run(tmp_path / "run"))
    assert files.read()
    assert not files.read()
    steps, episodes, means, evaluations, passed = files.returns()
    assert steps.tolist() == [10.0, 20.0, 25.0, 30.0]
    assert episodes[[0, 2]].tolist() == [3.0, 8.0]
    assert means[[0, 2]].tolist() == [3.0, 5.5]
    assert evaluations[[1, 3]].tolist() == [456.25, 1000.0]
    assert passed[3] == pytest.approx(100.0 * 23 / 24)
    assert all(value != value for value in (episodes[1], evaluations[0], passed[1]))  # nan


def test_run_of_an_earlier_version_is_shown(server: viser.ViserServer, tmp_path: Path) -> None:
    path = tmp_path / "old"
    shutil.copytree(FORMAT_1, path)
    view = make_view(server, str(path))
    view.step(0.0)
    assert view._refusal == ""


# bad input: one sentence, exit code not 0, nothing written


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    code = main(["watch", "--no-browser", *words])
    assert code in (1, 2)
    captured = capsys.readouterr().err
    assert captured.startswith("error: ")
    assert captured.count("\n") == 1
    return captured


def test_missing_run_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = refused(capsys, "nobody", "--runs-dir", str(tmp_path))
    assert "there is no run at" in text
    assert "`sac_control info` lists what there is" in text
    assert list(tmp_path.iterdir()) == []


def test_half_written_run_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    assert "it has no config.yaml" in refused(capsys, str(tmp_path / "half"))
    (tmp_path / "half" / "config.yaml").write_text("/**/learner:\n  ros__parameters: {task: inver")
    assert "config.yaml" in refused(capsys, str(tmp_path / "half"))


def test_run_of_another_version_is_refused_by_the_setting_that_is_not_known(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = make_run(tmp_path / "other")
    (path / "config.yaml").write_text("/**/learner:\n  ros__parameters: {task: inverted_pendulum, of_tomorrow: 3}\n")
    assert "of_tomorrow" in refused(capsys, str(path))


def test_port_in_use_and_robot_without_its_run_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, server: viser.ViserServer
) -> None:
    path = str(make_run(tmp_path / "run"))
    assert "is in use" in refused(capsys, path, "--port", str(server.get_port()))
    assert "--robot needs RUN" in refused(capsys, "--robot")


def test_missing_library_is_told_with_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sac_control.cli.watch.VISER", "viser_that_is_not_here")
    text = refused(capsys, str(make_run(tmp_path / "run")))
    assert "sac_control watch needs viser_that_is_not_here, which is not installed" in text
    assert "pip install 'viser>=1.1,<2'" in text


def test_missing_browser_is_told_with_the_address_and_the_page_is_served_all_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    open_browser("http://127.0.0.1:8060")
    told = "note: no browser could be opened here: open http://127.0.0.1:8060 in one of this machine\n"
    assert capsys.readouterr().err == told


def test_newest_run_that_is_damaged_is_waited_for(tmp_path: Path) -> None:
    find = finder(WatchOptions(runs_dir=tmp_path))
    assert find() is None
    run = make_run(tmp_path / "good")
    found = find()
    assert found is not None
    assert found.path == run
    bad = make_run(tmp_path / "bad")
    (bad / "config.yaml").write_text("{")
    os.utime(bad / "config.yaml", (2e9, 2e9))
    assert find() is None


def test_run_with_a_damaged_note_of_where_it_speaks_is_refused(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run")
    (path / "where.json").write_text("{")
    with pytest.raises(RunError, match="remove it"):
        subject_of(str(path), tmp_path)


def test_subject_is_a_plain_value(tmp_path: Path) -> None:
    subject = subject_of(str(make_run(tmp_path / "run")), tmp_path)
    assert dataclasses.replace(subject, algorithm="x").algorithm == "x"
    assert subject.specification.task == "inverted_pendulum"


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "killed"])
def test_page_has_the_least_share_of_the_processors_and_ends_with_the_command(tmp_path: Path, end: int) -> None:
    """What runs in the same terminal keeps its share: the page leads a session of its own."""
    port = free_port()
    command = [sys.executable, "-m", "sac_control", "watch", str(make_run(tmp_path / "run")), "--no-browser"]
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # who runs in the background may ignore it
    )
    try:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}" in process.stdout.readline()
        (page,) = map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())
        assert os.getsid(page) == page != os.getsid(process.pid)
        shares = [Path(f"/proc/{each}/autogroup") for each in (page, process.pid)]
        if shares[0].exists():  # a kernel that knows it
            assert shares[0].read_text().endswith("nice 19\n")
            assert not shares[1].read_text().endswith("nice 19\n")
        process.send_signal(end)
        assert process.wait(30) == (0 if end == signal.SIGINT else -end)
        until = time.monotonic() + PATIENCE
        while Path(f"/proc/{page}").exists():
            assert time.monotonic() < until, "the page goes on"
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
