"""Half a body holds no thread for ever, and who is slow but honest gets through. The connections are real, the time is an argument."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import pytest

from regulars.foundation.inbox.bodies import HASTE, LEAST, MANY, PATIENCE, SLOW, Body, Pieces, Watch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what went over a connection")
TIMEOUT, STARTING = 20.0, 60.0
HOST, OTHER = "127.0.0.1", "127.0.0.2"


@dataclass(frozen=True)
class Line:
    """Both ends of a connection."""

    sender: socket.socket
    accepted: socket.socket

    def bring(self, count: int) -> None:
        self.sender.sendall(b"x" * count)
        while count:
            count -= len(self.accepted.recv(count))

    def answer(self) -> None:
        """Until it is known to have come."""
        self.accepted.sendall(b"200")
        assert self.sender.recv(3) == b"200"
        while self.accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 28)[24:28] != bytes(4):  # not acknowledged
            time.sleep(0.001)

    def is_open(self) -> bool:
        self.sender.setblocking(False)
        try:
            return self.sender.recv(1) != b""
        except BlockingIOError:
            return True


class House:
    """A web server of this process, as far as its connections go."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._listening = stack.enter_context(socket.create_server((HOST, 0)))
        self._pool = stack.enter_context(ThreadPoolExecutor(MANY))

    def line(self, source: str = HOST) -> Line:
        """One that was used before."""
        sender = socket.create_connection(self._listening.getsockname(), TIMEOUT, (source, 0))
        line = Line(self._stack.enter_context(sender), self._stack.enter_context(self._listening.accept()[0]))
        self._stack.callback(line.sender.close)  # before the thread that waits for it
        line.bring(1)
        return line

    def environ(self) -> dict[str, object]:
        return {"REMOTE_ADDR": HOST, "SERVER_PORT": str(self._listening.getsockname()[1])}

    def wait(self, line: Line, size: int) -> Future[bytes]:
        """What a thread of it reads, which waits for so many bytes."""
        has_begun = threading.Event()

        class Input:
            def read(self, size: int) -> bytes:
                has_begun.set()
                return line.accepted.recv(size, socket.MSG_WAITALL)

        reading = self._pool.submit(Body(self.environ() | {"wsgi.input": Input()}).read, size)
        assert has_begun.wait(TIMEOUT)
        return reading


@pytest.fixture
def houses() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def house(houses: ExitStack) -> House:
    return House(houses)


def _soon() -> float:
    """When all who wait by now are slow."""
    return time.monotonic() + SLOW + 1


def test_half_a_body_ends_after_a_time_with_what_came(house: House) -> None:
    line, watch = house.line(), Watch()
    reading, at = house.wait(line, 10), _soon()
    line.sender.sendall(b"half")
    assert watch.look(at) == 0
    assert watch.look(at + PATIENCE) == 0
    assert line.is_open()
    assert watch.look(at + PATIENCE + 1) == 1
    assert reading.result(TIMEOUT) == b"half"
    assert not line.is_open()
    assert watch.look(at + PATIENCE * 3) == 0  # nobody waits any more


def test_once_many_are_slow_they_have_less_time(house: House) -> None:
    lines, watch = [house.line() for _ in range(MANY)], Watch()
    readings, at = [house.wait(line, 10) for line in lines], _soon()
    assert watch.look(at) == 0
    assert watch.look(at + HASTE + 1) == MANY
    assert [reading.result(TIMEOUT) for reading in readings] == [b""] * MANY


def test_a_byte_now_and_then_is_too_little_and_a_slow_upload_is_not(house: House) -> None:
    line, drip, upload, watch = house.line(), house.line(), house.line(), Watch()
    house.wait(line, 10)
    at = _soon()
    assert watch.look(at) == 0
    for share, closed in ((0.6, 0), (1.2, 2)):
        drip.bring(1)
        upload.bring(LEAST)
        assert watch.look(at + PATIENCE * share) == closed
    assert (line.is_open(), drip.is_open(), upload.is_open()) == (False, False, True)


def test_who_was_answered_and_who_comes_from_elsewhere_or_to_another_server_stays(
    house: House, houses: ExitStack
) -> None:
    line, answered, elsewhere, other = house.line(), house.line(), house.line(OTHER), House(houses).line()
    watch = Watch()
    house.wait(line, 10)
    at = _soon()
    assert watch.look(at) == 0
    answered.answer()
    assert watch.look(at + PATIENCE + 1) == 1
    assert [one.is_open() for one in (line, answered, elsewhere, other)] == [False, True, True, True]


def test_nobody_is_closed_where_nobody_waits_for_long(house: House) -> None:
    line, watch = house.line(), Watch()
    reading = house.wait(house.line(), 10)
    now = time.monotonic()
    assert [watch.look(now), watch.look(now + SLOW / 2)] == [0, 0]
    assert line.is_open()
    assert not reading.done()


def test_who_takes_nothing_of_an_answer_is_closed_and_who_reads_slowly_is_not(house: House) -> None:
    line, slow, watch = house.line(), house.line(), Watch()
    pieces = [Pieces([b"a", b"b"], house.environ()) for _ in (line, slow)]
    assert [next(one) for one in pieces] == [b"a", b"a"]
    at = _soon()
    assert watch.look(at) == 0
    slow.answer()
    assert watch.look(at + PATIENCE + 1) == 1
    assert [line.is_open(), slow.is_open()] == [False, True]
    assert [list(one) for one in pieces] == [[b"b"], [b"b"]]
    assert watch.look(at + PATIENCE * 3) == 0  # all of it was handed on


_HALF = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\nhalf"
_UNREAD = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("call", [_HALF, _UNREAD])
def test_half_bodies_and_unread_answers_on_every_thread_do_not_stop_the_web_server(call: bytes) -> None:
    with _served(threads=MANY) as port, ExitStack() as stack:
        lines = [stack.enter_context(socket.create_connection((HOST, port), TIMEOUT)) for _ in range(MANY)]
        for line in lines:
            line.sendall(call)
        assert [line.recv(1) for line in lines] == [b"H"] * MANY  # each thread reads what is sent, or answers
        assert _ask(port).endswith(b"4")


def _ask(port: int) -> bytes:
    """Asks until it is answered: whoever waits beside the slow ones may be closed with them."""
    until = time.monotonic() + STARTING
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection((HOST, port), TIMEOUT) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody")
            if answer := b"".join(iter(lambda: connection.recv(1000), b"")):
                return answer
        time.sleep(0.05)
    raise TimeoutError


@contextmanager
def _served(threads: int) -> Iterator[int]:
    """The web server of the product, whose application is ``slow_house.py``."""
    with socket.create_server((HOST, 0)) as probe:
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-log", "--host", HOST, "--port", str(port)]
    target = "regulars.foundation.inbox.tests.slow_house:application"
    process = subprocess.Popen([*command, "--blocking-threads", str(threads), target])
    try:
        _ask(port)
        yield port
    finally:
        process.terminate()
        process.wait(TIMEOUT)
