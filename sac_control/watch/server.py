"""A viser server for this machine alone: it looks at who asks, takes no orders, and lets the page load nothing else.

viser itself listens to whoever can reach it, whatever site he comes from, moves on to another port where one is taken,
and offers to share the page through a server of its makers.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import msgspec
import viser
import websockets.asyncio.server
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from sac_control.errors import ConfigError
from sac_control.watch.port import HOST, check_port, in_use

LARGEST_MESSAGE = 1 << 20  # bytes from a browser
# What a browser may tell: where it looks from, which control of the page was moved, and that it has read.
_HEARD = {"ViewerCameraMessage", "GuiUpdateMessage"}


def open_server(port: int, title: str) -> viser.ViserServer:
    """A page on ``http://127.0.0.1:port/``.

    Raises:
        ConfigError: the port is no port, or in use.
    """
    check_port(port)
    with _guarded(port), contextlib.redirect_stdout(io.StringIO()):  # viser prints a banner, whatever verbose says
        server = viser.ViserServer(host=HOST, port=port, label=title, verbose=False)
    if server.get_port() != port:  # somebody took it in between
        server.stop()
        raise ConfigError(in_use(port))
    server.gui.configure_theme(show_share_button=False, show_logo=False, control_width="large")
    return server


def close_server(server: viser.ViserServer) -> None:
    """End it without the words that viser has for that."""
    with contextlib.redirect_stdout(io.StringIO()):
        server.stop()


@contextlib.contextmanager
def _guarded(port: int) -> Iterator[None]:
    """While it is being made, a viser server gets a websockets server that looks at who asks."""
    serve = websockets.asyncio.server.serve
    hosts = {f"{name}:{port}" for name in (HOST, "localhost")}

    def guarded(handler: Any, host: str, at: int, **options: Any) -> Any:
        answer = options.pop("process_request")

        def process_request(connection: Any, request: Request) -> Response | None:
            refusal = _refusal(request, hosts)
            if refusal is not None:
                return refusal
            response: Response | None = answer(connection, request)
            if response is not None:
                response.headers["Content-Security-Policy"] = _policy(hosts)
                response.headers["X-Frame-Options"] = "DENY"
                response.headers["Referrer-Policy"] = "no-referrer"
            return response

        more = {"max_size": LARGEST_MESSAGE, "create_connection": _Listener, "process_request": process_request}
        return serve(handler, host, at, **{**options, **more})

    websockets.asyncio.server.serve = guarded  # type: ignore[assignment,misc]
    try:
        yield
    finally:
        websockets.asyncio.server.serve = serve  # type: ignore[misc]


def _refusal(request: Request, hosts: set[str]) -> Response | None:
    """An answer to who may not ask: a page of another site, under whatever name it reaches this machine."""
    hosts_asked, origins = request.headers.get_all("Host"), request.headers.get_all("Origin")
    is_ours = len(hosts_asked) == 1 and hosts_asked[0].lower() in hosts
    if is_ours and all(origin.lower() in {f"http://{host}" for host in hosts} for origin in origins):
        return None
    body = b"This page is for the browser of this machine: http://127.0.0.1\n"
    headers = Headers({"Content-Type": "text/plain", "Content-Length": str(len(body)), "Connection": "close"})
    return Response(HTTPStatus.FORBIDDEN, HTTPStatus.FORBIDDEN.phrase, headers, body)


def _policy(hosts: set[str]) -> str:
    """What the page may load: itself, and nothing from another machine."""
    own = " ".join(sorted(f"ws://{host} http://{host}" for host in hosts))
    return (
        "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
        f"style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; connect-src 'self' data: blob: {own}; "
        "frame-ancestors 'none'; form-action 'none'; base-uri 'none'"
    )


class _Listener(websockets.asyncio.server.ServerConnection):
    """Passes on what a browser may tell, and drops the rest: uploads, requests to share, whatever comes next."""

    async def recv(self, *arguments: Any, **options: Any) -> Any:
        while True:
            data = await super().recv(*arguments, **options)
            if isinstance(data, bytes) and _kind(data) in _HEARD:
                return data


def _kind(data: bytes) -> str:
    try:
        message = msgspec.msgpack.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return ""
    return str(message.get("type", "")) if isinstance(message, dict) else ""
