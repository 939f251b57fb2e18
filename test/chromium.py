"""Chromium without a screen, by its own protocol (Chrome DevTools): what a user would see, what the page asks for."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from matplotlib import image
from numpy.typing import NDArray
from websockets.sync.client import connect

from ros_world import PATIENCE

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    """One page in a window of `width` by `height` pixels; what is not on this machine has no address for it."""

    def __init__(self, width: int = 1600, height: int = 1000) -> None:
        assert PROGRAM is not None
        self.asked: list[str] = []  # of other machines, by whatever the page consists of: what was to be fetched
        self._proxy = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._note_requests, daemon=True).start()
        self._folder = tempfile.TemporaryDirectory(prefix="sac_control-chromium-", ignore_cleanup_errors=True)
        profile = Path(self._folder.name)
        self._process = subprocess.Popen(
            [
                PROGRAM,
                "--headless=new",
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--use-angle=swiftshader",
                "--enable-unsafe-swiftshader",
                "--no-first-run",
                f"--proxy-server=127.0.0.1:{self._proxy.getsockname()[1]}",  # for all that is not on this machine
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-default-apps",
                "--disable-extensions",
                "--disable-sync",
                "--remote-debugging-port=0",
                f"--user-data-dir={profile}",
                f"--window-size={width},{height}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + PATIENCE
        told = profile / "DevToolsActivePort"
        while not (told.exists() and "\n" in told.read_text()):
            assert time.monotonic() < until, "Chromium did not start"
            time.sleep(0.1)
        port = told.read_text().split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
            (page,) = (each for each in json.load(answer) if each["type"] == "page")
        self._connection = connect(page["webSocketDebuggerUrl"], max_size=None)
        self._number = 0

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._connection.close()
        self._proxy.close()
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def open(self, address: str) -> None:
        self._call("Page.navigate", url=address)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript."""
        return self._call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def words(self) -> str:
        """All words on the page."""
        return str(self.evaluate("document.body ? document.body.innerText : ''"))

    def picture(self) -> NDArray[np.uint8]:
        """The page, (height, width, 3) uint8."""
        return (255 * image.imread(io.BytesIO(self.png()))[:, :, :3]).astype(np.uint8)

    def png(self) -> bytes:
        """The page as the content of a PNG file."""
        return base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])

    def _note_requests(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = self._proxy.accept()
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(1.0)
                    self.asked.append(connection.recv(200).decode(errors="replace").split("\r\n")[0])

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        self._connection.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._connection.recv(timeout=PATIENCE))
            if message.get("id") == self._number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
