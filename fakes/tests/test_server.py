"""What both fakes stand on: each fate is what a client sees, and equal seeds end equally."""

import urllib.error
import urllib.request
from http.client import IncompleteRead

import pytest

from fakes.disturbing import Disturbance, Fate
from fakes.server import FakeServer, Request, json_response


def _get(server: FakeServer) -> bytes:
    with urllib.request.urlopen(server.address + "/a%20b?x=1", timeout=5) as answer:
        return bytes(answer.read())


def test_requests_are_kept_raw_and_each_fate_is_seen() -> None:
    disturbance = Disturbance(retry_after=7)
    with FakeServer(lambda request: json_response({"path": request.path}), disturbance=disturbance) as server:
        assert _get(server) == b'{"path":"/a%20b"}'
        disturbance.next(Fate.THROTTLED)
        with pytest.raises(urllib.error.HTTPError) as throttled:
            _get(server)
        assert (throttled.value.code, throttled.value.headers["Retry-After"]) == (429, "7")
        throttled.value.close()
        disturbance.next(Fate.BROKEN)
        with pytest.raises(urllib.error.HTTPError) as broken:
            _get(server)
        assert broken.value.code == 503
        broken.value.close()
        disturbance.next(Fate.DROPPED)
        with pytest.raises((ConnectionError, urllib.error.URLError)):
            _get(server)
        disturbance.next(Fate.TRUNCATED)
        with pytest.raises((ConnectionError, IncompleteRead)):
            _get(server)
        assert _get(server) == b'{"path":"/a%20b"}'
    assert [(request.path, request.query) for request in server.requests] == [("/a%20b", "x=1")] * 6


def test_a_fake_that_raises_says_so() -> None:
    def answer(_request: Request) -> None:
        raise KeyError("missing")

    with FakeServer(answer) as server:  # type: ignore[arg-type] # wrong on purpose
        with pytest.raises(urllib.error.HTTPError) as failed:
            _get(server)
        failed.value.close()
        assert failed.value.code == 500
        assert [str(error) for error in server.errors] == ["'missing'"]


def test_deliveries_are_lost_doubled_held_and_mixed_alike_for_a_seed() -> None:
    def run(seed: int) -> tuple[list[int], list[int]]:
        disturbance = Disturbance(
            seed=seed,
            deliveries_dropped=0.2,
            deliveries_duplicated=0.2,
            deliveries_delayed=0.2,
            deliveries_reordered=0.5,
        )
        first = disturbance.disturb(range(100))
        disturbance.calm()
        return first, disturbance.disturb([])

    first, held = run(3)
    assert (first, held) == run(3)
    assert first != run(4)[0]
    assert first != sorted(first)
    assert len(first) > len(set(first))
    assert held
    assert not set(first) & set(held)
    assert 100 > len(set(first) | set(held)) > 60
