"""The one client for HTTP to the outside, guarded against request forgery (SSRF): nothing else in the house opens a
connection by HTTP.

A name is resolved once, every address of it is checked, and the connection is made to a checked address, so that a
name that answers
differently the second time (rebinding) changes nothing. Host header and TLS name stay those of the address that was
asked for.
"""

import ipaddress
import socket
import ssl
import time
import typing
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx
from django.db import connection

from regulars.foundation.errors import RegularsError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]
_SOCKET_OPTIONS = Iterable[httpcore.SOCKET_OPTION] | None

# Beyond what ``ipaddress`` calls not global: forms that carry an IPv4 address inside, or that no shop lives at.
FORBIDDEN = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
        "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2002::/16", "3fff::/20", "5f00::/16",
        "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
]  # fmt: skip


class OutboundError(RegularsError):
    """The other side could not be reached."""

    code = "outbound"
    status = 502


class Forbidden(OutboundError):
    """This address may not be called from here: only https to public addresses is allowed."""

    code = "outbound-forbidden"
    status = 400


class TooSlow(OutboundError):
    """The other side took too long to answer."""

    code = "outbound-slow"


class TooLarge(OutboundError):
    """The answer of the other side is too large."""

    code = "outbound-large"


@dataclass(frozen=True)
class Limits:
    """Seconds and bytes. ``size`` is of the answer after decompression."""

    connect: float = 3
    read: float = 10
    total: float = 10
    size: int = 2_000_000
    redirects: int = 0  # at most 3; each is checked like the first


@dataclass(frozen=True)
class Reply:
    """What came back. Header names are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


def resolve_name(host: str, port: int) -> list[str]:
    """All addresses of a name, as the system knows them."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_public(address: str) -> bool:
    """Whether a numeric address is one of the open internet, whatever its spelling."""
    try:
        parsed: Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    if mapped is not None:
        return is_public(str(mapped))
    return parsed.is_global and not parsed.is_multicast and not any(parsed in network for network in FORBIDDEN)


@dataclass(frozen=True)
class Outbound:
    """The client. ``allow`` holds (address, port) pairs that are let through although they are not public: tests only."""

    schemes: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] = frozenset({80, 443})
    limits: Limits = Limits()
    resolve: Resolve = resolve_name
    allow: frozenset[tuple[str, int]] = field(default=frozenset())

    def send(self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Reply:
        """Raises Forbidden, TooSlow, TooLarge or OutboundError; an answer of 4xx or 5xx is an answer."""
        _outside_transactions()
        deadline = time.monotonic() + self.limits.total
        kept = {name.lower(): value for name, value in (headers or {}).items()}
        for _ in range(min(self.limits.redirects, 3) + 1):
            reply = self._once(method, url, kept, body, deadline)
            target = reply.headers.get("location", "")
            if self.limits.redirects == 0 or reply.status not in {301, 302, 303, 307, 308} or not target:
                return reply
            method, url, kept, body = _redirected(method, url, target, kept, body, reply.status)
        raise OutboundError("The other side redirects in circles.")

    def check(self, url: str) -> tuple[str, int]:
        """Host and port of an address whose form is allowed; for forms that store one. Raises Forbidden. It is checked
        again at each send.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
            host = httpx.URL(url).raw_host.decode("ascii")
        except (ValueError, UnicodeError, httpx.InvalidURL, TypeError) as error:
            raise Forbidden("This is not an address that can be called.") from error
        strange = any(letter.isspace() or ord(letter) < 32 or letter == "\\" for letter in url)
        if parts.scheme not in self.schemes or "@" in parts.netloc or not host or strange or parts.hostname is None:
            raise Forbidden
        if port not in self.ports and not any(port == allowed for _, allowed in self.allow):
            raise Forbidden(f"Port {port} may not be called from here.")
        return host, port

    def addresses(self, host: str, port: int) -> list[str]:
        """Checked addresses of a host. Raises Forbidden when a single one of them is not public, OutboundError when
        there is none.
        """
        try:
            found = self.resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise OutboundError(f"There is no computer called '{host[:80]}'.") from error
        if any(not is_public(address) and (address, port) not in self.allow for address in found):
            raise Forbidden
        if not found:
            raise OutboundError(f"There is no computer called '{host[:80]}'.")
        return found

    def _once(self, method: str, url: str, headers: Mapping[str, str], body: bytes, deadline: float) -> Reply:
        self.check(url)
        sent = {"user-agent": "Regulars", "accept-encoding": "gzip, deflate"} | dict(headers)
        backend = _GuardedBackend(self, deadline)
        try:
            with (
                httpx.Client(
                    transport=_Transport(backend), trust_env=False, follow_redirects=False, timeout=self._timeout()
                ) as client,
                client.stream(method, url, headers=sent, content=body or None) as response,
            ):
                content = b"".join(_decoded(response, self.limits.size))
                return Reply(response.status_code, {k.lower(): v for k, v in response.headers.items()}, content, url)
        except (httpcore.TimeoutException, httpx.TimeoutException) as error:
            raise TooSlow from error
        except (
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpx.HTTPError,
            httpx.InvalidURL,
            zlib.error,
            OSError,
        ) as error:
            raise OutboundError from error

    def _timeout(self) -> httpx.Timeout:
        return httpx.Timeout(self.limits.read, connect=self.limits.connect)


def _redirected(
    method: str, url: str, target: str, headers: dict[str, str], body: bytes, status: int
) -> tuple[str, str, dict[str, str], bytes]:
    """Where to go next: never with credentials to another host, never from https to http, and a 303 always reads."""
    following = urljoin(url, target)
    before, after = urlsplit(url), urlsplit(following)
    if before.scheme == "https" and after.scheme != "https":
        raise Forbidden
    if before.netloc != after.netloc:
        headers = {k: v for k, v in headers.items() if k not in {"authorization", "cookie", "proxy-authorization"}}
    if status == 303 or (status in {301, 302} and method == "POST"):
        method, body = "GET", b""
    return method, following, headers, body


def _decoded(response: httpx.Response, cap: int) -> Iterator[bytes]:
    """The body, decompressed under the cap: a bomb is stopped when it has grown to it, not when it has exploded."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "deflate", ""}:
        raise OutboundError("The other side answers in a compression that was not asked for.")
    unpack = zlib.decompressobj(47) if encoding in {"gzip", "deflate"} else None
    size = 0
    for raw in response.iter_raw():
        chunk = unpack.decompress(raw, cap - size + 1) if unpack else raw
        size += len(chunk)
        if size > cap:
            raise TooLarge
        yield chunk


class _GuardedBackend(httpcore.NetworkBackend):
    """Connects to checked addresses only, and lets nothing outlast the deadline."""

    def __init__(self, guard: Outbound, deadline: float) -> None:
        self._guard, self._deadline = guard, deadline
        self._real = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: _SOCKET_OPTIONS = None,
    ) -> httpcore.NetworkStream:
        addresses = self._guard.addresses(host, port)
        for address in addresses[:-1]:
            try:
                return self._connect(address, port, timeout)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connect(addresses[-1], port, timeout)

    def _connect(self, address: str, port: int, timeout: float | None) -> httpcore.NetworkStream:
        stream = self._real.connect_tcp(address, port, timeout=_left(self._deadline, timeout))
        return _TimedStream(stream, self._deadline)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: _SOCKET_OPTIONS = None
    ) -> httpcore.NetworkStream:
        raise Forbidden

    def sleep(self, seconds: float) -> None:
        self._real.sleep(seconds)


class _TimedStream(httpcore.NetworkStream):
    """A stream whose every wait ends at the deadline: a side that drips one byte at a time is cut off too."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline, timeout))
        return _TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> typing.Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, timeout: float | None) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left if timeout is None else min(left, timeout)


class _Transport(httpx.BaseTransport):
    """httpx over a connection of our own backend: one request, one connection, HTTP/1.1."""

    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._pool = httpcore.ConnectionPool(ssl_context=_tls(), max_connections=1, network_backend=backend)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        address = request.url
        asked = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=address.raw_scheme, host=address.raw_host, port=address.port, target=address.raw_path
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        answer = self._pool.handle_request(asked)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _outside_transactions() -> None:
    """No network call inside a transaction: it would hold its locks for as long as the other side likes."""
    blocks = getattr(connection, "atomic_blocks", [])
    if any(not getattr(block, "_from_testcase", False) for block in blocks):
        raise RuntimeError("An HTTP call was about to be made inside a database transaction")
