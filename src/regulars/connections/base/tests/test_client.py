"""Calls of one shop: as fast as it will have them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from regulars.connections.base.client import Client, TryLater, asked_wait
from regulars.foundation.outbound import Outbound, Reply

NOW = "Sun, 22 Nov 2026 20:00:00 GMT"


@dataclass(frozen=True)
class Saying(Outbound):
    """Answers with these, and the last of them from then on."""

    replies: list[Reply] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def send(self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Reply:
        self.asked.append(url)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def reply(status: int, **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"{}", "https://a.example")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "120"}, 120),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after": "9" * 400}, 86_400),
        ({"retry_after": "Sun, 22 Nov 2026 20:02:00 GMT", "date": NOW}, 120),
        ({"retry_after": "Sun, 22 Nov 2026 19:00:00 GMT", "date": NOW}, 0),
        ({"retry_after": "Sun, 22 Nov 2099 19:00:00 GMT", "date": NOW}, 86_400),
        ({"retry_after": "Sun, 22 Nov 2026 20:02:00 GMT"}, 0),
        ({"retry_after": "Sun, 22 Nov 2026 20:02:00 -0000", "date": NOW}, 0),
        ({"retry_after": "soon", "date": "\x00"}, 0),
        ({}, 0),
    ],
)
def test_how_long_a_shop_asks_us_to_wait(headers: dict[str, str], seconds: float) -> None:
    assert asked_wait(reply(429, **headers)) == seconds


def test_a_shop_that_asks_to_be_left_alone_is_not_called_meanwhile() -> None:
    time = [1000.0]
    outbound = Saying(replies=[reply(503, retry_after="600"), reply(200)])
    client = Client(outbound, sleep=lambda seconds: None, clock=lambda: time[0])
    with pytest.raises(TryLater) as first:
        client.send("GET", "https://a.example/1")
    time[0] += 240
    with pytest.raises(TryLater) as second:
        client.send("GET", "https://a.example/2")
    assert (first.value.seconds, second.value.seconds) == (600, 360)
    assert outbound.asked == ["https://a.example/1"]
    time[0] += 360
    assert client.send("GET", "https://a.example/3").status == 200


def test_a_short_wait_is_waited_for_at_once() -> None:
    slept = list[float]()
    outbound = Saying(replies=[reply(429, retry_after="7"), reply(200)])
    client = Client(outbound, sleep=slept.append, clock=lambda: 0.0)
    assert client.send("GET", "https://a.example/1").status == 200
    assert max(slept) == 7
