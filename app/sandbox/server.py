"""Serve a twin on a real port: for the command line, and on a thread for tests."""

import asyncio
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from app.sandbox.faults import TRANSPORT

START_SECONDS = 10.0


def run(
    app: ASGIApp,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ready: Callable[[int], None] | None = None,
) -> None:
    """
    Serve a twin until it is interrupted.

    Port 0 takes a free one. ``ready`` is called with the port once calls are answered.

    Raises:
        OSError: The port cannot be had; ``filename`` is its address.

    """
    line = _bound(host, port)
    taken = line.getsockname()[1]
    _tell_address(app, f"http://{host}:{taken}")
    server = _Server(_config(app), on_start=(lambda: ready(taken)) if ready else None)
    server.run(sockets=[line])


class LiveTwin:
    """
    Serve a twin on a free loopback port, on a thread with its own loop, while a ``with`` lasts.

    If the twin's ``app.state`` has ``served_at``, it is called with the address first.
    """

    def __init__(self, app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._app = app
        self._line = _bound(host, port)
        self.port: int = self._line.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        self._started = threading.Event()
        self._server = _Server(_config(app), on_start=self._started.set)
        self._thread = threading.Thread(target=self._serve, name=f"twin-{self.port}", daemon=True)

    def __enter__(self) -> Self:
        """Start to serve; return when calls are answered."""
        _tell_address(self._app, self.url)
        self._thread.start()
        if not self._started.wait(START_SECONDS):
            raise TimeoutError(f"The twin at {self.url} did not start in {START_SECONDS} s.")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop and wait until the thread has ended and the port is free."""
        self._server.should_exit = True
        self._thread.join(START_SECONDS)
        self._line.close()

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._line]))


class _Server(uvicorn.Server):
    """Tell when the server answers; leave signals to the process when on a thread."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self._on_start and self.started:
            self._on_start()


def _bound(host: str, port: int) -> socket.socket:
    # asyncio switches Nagle's algorithm off only for sockets that name TCP: else 40 ms an answer.
    line = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        line.bind((host, port))
    except OSError as err:
        line.close()
        raise OSError(err.errno, err.strerror, f"{host}:{port}") from err
    return line


def _tell_address(app: Any, url: str) -> None:  # noqa: ANN401 - any ASGI callable may have a state
    served_at = getattr(getattr(app, "state", None), "served_at", None)
    if served_at is not None:
        served_at(url)


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        _with_transport(app),
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=2,
    )


def _with_transport(app: ASGIApp) -> ASGIApp:
    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        # uvicorn hands over a method of the object that owns the connection; there is no public
        # way to close one without an answer. Both of its HTTP implementations name it so.
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if scope["type"] == "http" and transport is not None:
            scope.setdefault("extensions", {})[TRANSPORT] = transport
        await app(scope, receive, send)

    return call
