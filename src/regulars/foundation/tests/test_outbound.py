"""Not one packet reaches a forbidden address, however it is spelled; and nothing outside can hold us up or fill us up."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest

from regulars.foundation.outbound import Forbidden, Limits, Outbound, OutboundError, TooLarge, TooSlow, is_public

SPELLINGS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0x7f.0.0.1", "127.0.0.1.",
    "127.255.255.254", "0",
    "0.0.0.0",
    "localhost", "localhost.", "LOCALHOST",
    "①②⑦.⓪.⓪.①", "１２７.０.０.１", "127。0。0。1", "%31%32%37.0.0.1",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]", "[fec0::1]", "[fe80::1]", "[fe80::1%25lo]", "[fc00::1]", "[ff02::1]", "[2001:0:7f00:1::]", "[3fff::1]",
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.88.99.1", "198.18.0.1",
    "224.0.0.1", "255.255.255.255", "240.0.0.1", "0xa9.0xfe.0xa9.0xfe", "2852039166", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]", "[::169.254.169.254]",
]  # fmt: skip

FORMS = [
    "http://user@{host}:{port}/", "http://user:word@{host}:{port}/", "http://example.com@{host}:{port}/", "http://{host}:{port}@example.com/",
    "gopher://{host}:{port}/_x", "file:///etc/passwd", "ftp://{host}:{port}/", "dict://{host}:{port}/", "//{host}:{port}/", "http:///x",
    "http://{host}:22/", "http://{host}:{port}\\@example.com/", "http://{host}:{port} /", "http://{host}\r\nHost: x/", "http://", "",
    "http://[::1", "http://{host}:99999/", "javascript:alert(1)", "http:{host}:{port}",
]  # fmt: skip


@dataclass
class Canary:
    """A listener that counts who knocks."""

    port: int
    knocks: list[bytes] = field(default_factory=list)


@contextmanager
def listening(answer: Callable[[socket.socket], None] | None = None) -> Iterator[Canary]:
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.05)
    canary = Canary(server.getsockname()[1])
    is_over = threading.Event()

    def serve() -> None:
        while not is_over.is_set():
            try:
                peer, _ = server.accept()
            except TimeoutError:
                continue
            with peer:
                peer.settimeout(2)
                canary.knocks.append(peer.recv(65536))
                if answer:
                    answer(peer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield canary
    finally:
        is_over.set()
        thread.join()
        server.close()


def guard(port: int, limits: Limits = Limits(total=2, read=2), **options: object) -> Outbound:  # noqa: B008
    return Outbound(schemes=frozenset({"http", "https"}), ports=frozenset({port}), limits=limits, **options)  # type: ignore[arg-type]


def friendly(port: int, limits: Limits = Limits(total=2, read=2)) -> Outbound:  # noqa: B008
    """Lets one local listener be called, by a name of its own."""
    return guard(port, limits, resolve=lambda host, _: ["127.0.0.1"], allow=frozenset({("127.0.0.1", port)}))


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    with listening() as found:
        yield found


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_reaches_a_forbidden_address(canary: Canary, host: str) -> None:
    with pytest.raises(OutboundError):
        guard(canary.port).send("GET", f"http://{host}:{canary.port}/")
    assert canary.knocks == []


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_address_does_either(canary: Canary, form: str) -> None:
    with pytest.raises(Forbidden):
        friendly(canary.port).send("GET", form.format(host="127.0.0.1", port=canary.port))
    assert canary.knocks == []


@pytest.mark.parametrize("name", ["127.0.0.1.nip.io", "spoofed.example"])
def test_a_name_that_points_inside_is_refused(canary: Canary, name: str) -> None:
    for found in (["127.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["93.184.215.14", "fe80::1%lo"], ["nonsense"]):
        with pytest.raises(Forbidden):
            guard(canary.port, resolve=lambda host, port, found=found: found).send(
                "GET", f"http://{name}:{canary.port}/"
            )
    assert canary.knocks == []


def test_rebinding_changes_nothing() -> None:
    """The name is asked once for each connection, and the address that was checked is the one that is called."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    with listening(lambda peer: peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as canary:
        client = guard(canary.port, resolve=resolve, allow=frozenset({("127.0.0.1", canary.port)}))
        assert client.send("GET", f"http://shop.example:{canary.port}/x").body == b"ok"
        assert asked == ["shop.example"]
        assert f"host: shop.example:{canary.port}".encode() in canary.knocks[0].lower()
        with pytest.raises(Forbidden):
            client.send("GET", f"http://shop.example:{canary.port}/x")


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254:{port}/",
        "http://[::1]:{port}/",
        "gopher://x/",
        "file:///etc/passwd",
        "http://u@x:{port}/",
    ],
)
def test_redirects_are_not_followed_or_checked_like_the_first(target: str) -> None:
    with listening() as canary:
        where = target.format(port=canary.port)
        answer = f"HTTP/1.1 302 Found\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode()
        with listening(lambda peer: peer.sendall(answer)) as first:

            def resolve(host: str, port: int) -> list[str]:
                return ["127.0.0.1"] if host == "shop.example" else [host.strip("[]")]

            def client(redirects: int) -> Outbound:
                both = frozenset({first.port, canary.port})
                allow = frozenset({("127.0.0.1", first.port)})
                return Outbound(frozenset({"http"}), both, Limits(total=2, redirects=redirects), resolve, allow)

            assert client(0).send("GET", f"http://shop.example:{first.port}/").status == 302
            with pytest.raises(Forbidden):
                client(3).send("GET", f"http://shop.example:{first.port}/")
            assert canary.knocks == []


def test_credentials_do_not_travel_to_another_host() -> None:
    with listening(lambda peer: peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as second:
        answer = (
            f"HTTP/1.1 303 See Other\r\nLocation: http://b.example:{second.port}/\r\nContent-Length: 0\r\n\r\n".encode()
        )
        with listening(lambda peer: peer.sendall(answer)) as first:
            allow = frozenset({("127.0.0.1", first.port), ("127.0.0.1", second.port)})
            ports = frozenset({first.port, second.port})
            client = Outbound(
                frozenset({"http"}), ports, Limits(total=2, redirects=1), lambda h, p: ["127.0.0.1"], allow
            )
            client.send("POST", f"http://a.example:{first.port}/", {"Authorization": "Bearer secret"}, b"body")
            assert b"secret" in first.knocks[0]
            assert b"secret" not in second.knocks[0]
            assert second.knocks[0].startswith(b"GET ")


def test_circles_end() -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"
    with listening(lambda peer: peer.sendall(answer)) as canary:
        with pytest.raises(OutboundError, match="circles"):
            friendly(canary.port, Limits(redirects=99)).send("GET", f"http://shop.example:{canary.port}/")
        assert len(canary.knocks) == 4


def _bomb(peer: socket.socket) -> None:
    body = gzip.compress(bytes(300_000_000))
    peer.sendall(f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


def _flood(peer: socket.socket) -> None:
    with suppress(OSError):  # cut off, as it should be
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + bytes(9_000_000))


@pytest.mark.parametrize("answer", [_bomb, _flood])
def test_answers_are_capped(answer: Callable[[socket.socket], None]) -> None:
    with listening(answer) as canary, pytest.raises(TooLarge):
        friendly(canary.port, Limits(total=20, read=20)).send("GET", f"http://shop.example:{canary.port}/")


def test_a_compression_that_was_not_asked_for_is_refused() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx"
    with listening(lambda peer: peer.sendall(answer)) as canary, pytest.raises(OutboundError, match="compression"):
        friendly(canary.port).send("GET", f"http://shop.example:{canary.port}/")


def _drip(peer: socket.socket) -> None:
    with suppress(OSError):
        for _ in range(40):
            peer.sendall(b"H")
            time.sleep(0.05)


@pytest.mark.parametrize("answer", [_drip, lambda peer: time.sleep(1)])
def test_time_is_capped_as_a_whole(answer: Callable[[socket.socket], None]) -> None:
    with listening(answer) as canary:
        begun = time.monotonic()
        with pytest.raises((TooSlow, OutboundError)):
            friendly(canary.port, Limits(read=0.3, total=0.4)).send("GET", f"http://shop.example:{canary.port}/")
        assert time.monotonic() - begun < 0.9


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"])
def test_the_open_internet_is_open(address: str) -> None:
    assert is_public(address)


def test_http_needs_leave() -> None:
    with pytest.raises(Forbidden):
        Outbound().check("http://example.com/")
    assert Outbound().check("https://example.com/x") == ("example.com", 443)
    assert Outbound().check("https://bücher.example/") == ("xn--bcher-kva.example", 443)
