"""The page is for the browser of this machine: who may ask, what it may say, and that no slow reader holds it up."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest
import viser
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from sac_control.errors import ConfigError
from sac_control.watch.server import LARGEST_MESSAGE, close_server, open_server
from watch_pages import VERSION, client, free_port, read_until, send


@pytest.fixture
def server() -> Iterator[viser.ViserServer]:
    server = open_server(free_port(), "test")
    yield server
    close_server(server)


def ask(port: int, host: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest("GET", "/", skip_host=True)
    for name, value in {"Host": host, **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    return connection.getresponse()


def test_only_this_machine_is_listened_to(server: viser.ViserServer) -> None:
    port = server.get_port()
    with socket.socket() as other:
        other.settimeout(2.0)
        assert other.connect_ex(("127.0.0.2", port)) != 0  # another address, though of this machine


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_page_is_given_under_its_own_names(server: viser.ViserServer, name: str) -> None:
    answer = ask(server.get_port(), f"{name}:{server.get_port()}")
    assert answer.status == 200
    assert b"<html" in answer.read()[:2000].lower()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1.evil.example:{port}", "127.0.0.1:1", ""])
def test_page_is_refused_under_any_other_name(server: viser.ViserServer, host: str) -> None:
    answer = ask(server.get_port(), host.format(port=server.get_port()))
    assert answer.status == 403
    assert b"for the browser of this machine" in answer.read()


def test_page_of_another_site_may_not_connect(server: viser.ViserServer) -> None:
    port = server.get_port()
    for origin in ("http://evil.example", f"https://127.0.0.1:{port}", "null"):
        with pytest.raises(InvalidStatus, match="403"):
            connect(f"ws://127.0.0.1:{port}", subprotocols=[VERSION], origin=origin)  # type: ignore[arg-type]
    with client(port, origin=f"http://127.0.0.1:{port}") as connection:
        assert read_until(connection, bool)


def test_page_may_load_nothing_from_another_machine(server: viser.ViserServer) -> None:
    answer = ask(server.get_port(), f"127.0.0.1:{server.get_port()}")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self' data: blob:" in policy
    sources = [word for word in policy.replace(";", " ").split() if "://" in word]
    assert sources
    assert all(source.split("://")[1].startswith(("127.0.0.1:", "localhost:")) for source in sources)
    assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    "message",
    [
        {"type": "ShareUrlRequest"},  # would open a tunnel to a server of viser's makers
        {"type": "FileTransferStartUpload", "transfer_uuid": "a", "filename": "b", "mime_type": "c", "part_count": 1},
        {"type": "nobody knows"},
        {"no": "type"},
    ],
)
def test_what_a_browser_may_not_say_is_dropped_and_the_page_goes_on(
    server: viser.ViserServer, message: dict[str, object]
) -> None:
    with client(server.get_port()) as connection:
        send(connection, message)
        connection.send(b"\xc1 no message at all")
        connection.send("text")
        server.gui.add_markdown("still here")
        found = read_until(connection, lambda found: "still here" in str(found))
    assert "ShareUrl" not in str([each["type"] for each in found])


def test_message_that_is_too_large_ends_that_connection_alone(server: viser.ViserServer) -> None:
    with client(server.get_port()) as other:
        with client(server.get_port()) as connection:
            connection.send(b"x" * (LARGEST_MESSAGE + 1))
        server.gui.add_markdown("still here")
        read_until(other, lambda found: "still here" in str(found))


@pytest.mark.long
def test_browser_that_does_not_read_holds_nothing_up_and_nothing_piles_up(server: viser.ViserServer) -> None:
    port = server.get_port()
    points = np.zeros(20_000)
    plot = server.gui.add_uplot((points, points), ({}, {}))
    with client(port, max_queue=1), client(port) as reader:  # the first one never reads
        longest = 0.0
        for k in range(200):  # 64 MB, far more than any socket holds
            began = time.monotonic()
            plot.data = (points, points + k)
            longest = max(longest, time.monotonic() - began)
            time.sleep(0.005)
        server.gui.add_markdown("the end")
        read_until(reader, lambda found: "the end" in str(found))
        assert longest < 1.0
        assert len(server._websock_server._broadcast_buffer.message_from_id) < 100


def test_port_in_use_is_said_in_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} is in use: .* choose another one .--port {port + 1}"):
            open_server(port, "test")


@pytest.mark.parametrize("port", [0, 80, 70000])
def test_number_that_is_no_port_for_users_is_refused(port: int) -> None:
    with pytest.raises(ConfigError, match="expected 1024 to 65535"):
        open_server(port, "test")
