"""What is seen in a real browser: the machine is drawn and moves, numbers change, and nothing leaves this machine."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from chromium import PROGRAM, Browser
from ros_world import PATIENCE
from sac_control.cli import watch as verb
from sac_control.cli.main import parse
from watch_pages import free_port, make_run, record_swing

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed (apt install chromium)")


@contextmanager
def watched(run: Path) -> Iterator[str]:
    """The command, in a thread; its address."""
    from sac_control.watch.feed import Feed
    from sac_control.watch.page import Page
    from sac_control.watch.server import close_server, open_server
    from sac_control.watch.view import View

    port = free_port()
    _, options = parse(["watch", str(run), "--port", str(port), "--no-browser"])
    server = open_server(port, "sac_control watch")
    view = View(Page(server), verb.finder(options), lambda: Feed({}), verb.environment_at(options), None)
    is_over = threading.Event()
    thread = threading.Thread(target=view.run, args=(is_over.is_set,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        is_over.set()
        thread.join(10.0)
        close_server(server)


def wait_for(condition: Callable[[], bool], browser: Browser) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, browser.words()
        time.sleep(0.2)


@pytest.mark.long
def test_machine_moves_numbers_change_and_no_request_leaves_the_machine(tmp_path: Path) -> None:
    run = make_run(tmp_path / "some_run")
    record_swing(run)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with watched(run) as address, Browser() as browser:
        browser.open(address)
        wait_for(lambda: "some_run: solved, ended" in browser.words(), browser)
        wait_for(lambda: "transition 1 of 300" in browser.words(), browser)
        words = browser.words()
        assert re.search(r"transitions\s+30\b", words)
        assert re.search(r"exam\s+passed, worst: heavy pole", words)
        assert re.search(r"last evaluation\s+1000", words)
        assert re.search(r"temperature α\s+0.0625", words)
        assert browser.evaluate("document.querySelectorAll('canvas').length") >= 6  # the machine, and the plots

        def orange() -> np.ndarray:
            """Where the pole is on the picture."""
            colors = browser.picture().astype(int)
            return np.argwhere((colors[..., 0] > colors[..., 2] + 90) & (colors[..., 1] > colors[..., 2] + 20))

        wait_for(lambda: len(orange()) > 500, browser)
        first, places = orange().mean(axis=0), []

        def has_moved() -> bool:
            places.append(orange().mean(axis=0))
            return bool(np.linalg.norm(places[-1] - first) > 20.0)

        wait_for(has_moved, browser)
        assert [each for each in browser.asked if "google" not in each and "gvt1" not in each] == []  # Chromium's own
        browser.evaluate("fetch('http://sac-control.example/').catch(() => 0); new Image().src = 'http://img.example/'")
        time.sleep(1.0)
        assert "example" not in str(browser.asked)  # the page could not even if it wanted to
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
