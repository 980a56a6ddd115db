"""A small HTTP server on 127.0.0.1 that hands each request, raw, to a fake and disturbs the answer where asked to."""

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from fakes.disturbing import Disturbance, Fate


@dataclass(frozen=True)
class Request:
    """As it came: ``path`` and ``query`` are still percent-encoded, names of ``headers`` in small letters."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    is_secure: bool = False

    @property
    def url(self) -> str:
        """Address without the query, as the client wrote it."""
        return f"{'https' if self.is_secure else 'http'}://{self.headers.get('host', '')}{self.path}"


@dataclass(frozen=True)
class Response:
    status: int = 200
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = field(default_factory=tuple)


def json_response(content: object, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> Response:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Response(status, text.encode(), (("Content-Type", "application/json; charset=UTF-8"), *headers))


class FakeServer:
    """``with FakeServer(answer) as server``: answers in threads until the end of the block; ``requests`` is what was asked.

    ``shift`` is called before a request whose fate is to find pages moved. ``answer`` may raise: the client gets 500 and ``errors`` keeps
    the exception, so that a test can look at it.
    """

    def __init__(
        self,
        answer: Callable[[Request], Response],
        *,
        port: int = 0,
        disturbance: Disturbance | None = None,
        certificate: ssl.SSLContext | None = None,
        shift: Callable[[], None] = lambda: None,
    ) -> None:
        self.answer = answer
        self.shift = shift
        self.disturbance = disturbance or Disturbance()
        self.is_secure = certificate is not None
        self.requests: list[Request] = []
        self.errors: list[Exception] = []
        self._server = _Server(("127.0.0.1", port), _handler(self))
        if certificate is not None:
            self._server.socket = certificate.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        return f"{'https' if self.is_secure else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


def _handler(fake: FakeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, path, query, headers, body, fake.is_secure)
            fake.requests.append(request)
            fate = fake.disturbance.fate(request.path)
            if fate is Fate.DROPPED:
                self._hang_up()
                return
            self._send(_answer(fake, request, fate), is_truncated=fate is Fate.TRUNCATED)

        def _send(self, response: Response, *, is_truncated: bool) -> None:
            self.send_response(response.status)
            for name, value in response.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body[: len(response.body) // 2] if is_truncated else response.body)
            if is_truncated:
                self._hang_up()

        def _hang_up(self) -> None:
            """Reset, as a connection that breaks does: the client must not take it for an end."""
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet; ``fake.requests`` tells more."""

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = _serve

    return Handler


def _answer(fake: FakeServer, request: Request, fate: Fate) -> Response:
    disturbance = fake.disturbance
    if fate is Fate.SLOW:
        time.sleep(disturbance.slow_seconds)
    if fate is Fate.THROTTLED:
        refusal = {"code": "too_many_requests", "message": "Too many requests."}
        return json_response(refusal, 429, [("Retry-After", str(disturbance.retry_after))])
    if fate is Fate.BROKEN:
        return Response(
            disturbance.broken_status, b"<html><h1>Service unavailable</h1></html>", (("Content-Type", "text/html"),)
        )
    try:
        if fate is Fate.SHIFTED:
            fake.shift()
        return fake.answer(request)
    except Exception as error:  # noqa: BLE001  whatever a fake does wrong is the client's 500 and the test's to see
        fake.errors.append(error)
        return json_response({"code": "internal_server_error", "message": repr(error)}, 500)
