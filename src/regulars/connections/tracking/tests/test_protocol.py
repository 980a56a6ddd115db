"""From bytes to calls: keys, limits, labels that lie, times, and bodies that break naive readers."""

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from regulars.connections.tracking import protocol
from regulars.connections.tracking.protocol import BadBody, Call, Reason, Rejected, parse, read_calls, write_key
from regulars.connections.tracking.tests.captures import all_captures

AT = datetime(2026, 3, 1, 12, 0, 21, tzinfo=UTC)


def calls(payload: Any, path: str = "batch") -> list[Call | Rejected]:
    return list(read_calls(payload, path, AT, "own"))


def one(**item: Any) -> Call | Rejected:
    [found] = calls({"userId": "u", "event": "E"} | item, "track")
    return found


def reason(**item: Any) -> Reason:
    found = one(**item)
    assert isinstance(found, Rejected)
    return found.reason


def call(**item: Any) -> Call:
    found = one(**item)
    assert isinstance(found, Call)
    return found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", 0.1),
        ("19.99", 19.99),
        ("0.30000000000000004", 0.30000000000000004),
        ("1e+21", 1e21),
        ("19.90", Decimal("19.90")),
        ("0.12345678901234567890", Decimal("0.12345678901234567890")),
        ("1e400", Decimal("1e400")),
    ],
)
def test_a_fraction_stays_as_it_was_written(text: str, value: float | Decimal) -> None:
    found = parse(b'{"properties": {"x": %b}}' % text.encode(), "", "track")["properties"]["x"]
    assert (type(found), found) == (type(value), value)
    assert str(found).lower() == text or text == "1e400"


def test_the_skew_vector_of_the_specification() -> None:
    found = call(timestamp="2026-03-01T15:00:00Z", sentAt="2026-03-01T15:00:20Z")
    assert found.times.occurred_at == datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)
    assert found.times.received_at == AT
    assert found.times.sent_at == datetime(2026, 3, 1, 15, 0, 20, tzinfo=UTC)
    assert found.times.original_at == datetime(2026, 3, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("item", "occurred", "wrong"),
    [
        ({}, AT, False),
        ({"sentAt": "2026-03-01T15:00:20Z"}, AT, False),
        ({"timestamp": "2019-05-01T10:00:00+02:00"}, datetime(2019, 5, 1, 8, tzinfo=UTC), False),
        ({"timestamp": "2026-03-01T12:05:21Z"}, AT + timedelta(minutes=5), False),
        ({"timestamp": "2026-03-01T12:05:22Z"}, AT, False),
        ({"timestamp": "2026-03-01T11:00:00.123456789Z"}, datetime(2026, 3, 1, 11, 0, 0, 123456, tzinfo=UTC), False),
        ({"timestamp": "2026-03-01 11:00"}, datetime(2026, 3, 1, 11, tzinfo=UTC), False),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, AT, True),
        ({"timestamp": "9999-12-31T23:59:59-14:00"}, AT, True),
        ({"timestamp": "2026-02-30T00:00:00Z"}, AT, True),
        ({"timestamp": 1772366400}, AT, True),
        ({"timestamp": {"a": 1}, "sentAt": []}, AT, True),
        ({"originalTimestamp": "2026-03-01T11:00:00Z", "timestamp": "x"}, datetime(2026, 3, 1, 11, tzinfo=UTC), False),
        (
            {
                "originalTimestamp": "2026-03-01T15:00:00Z",
                "sentAt": "2026-03-01T15:00:20Z",
                "timestamp": "2026-03-01T10:00Z",
            },
            datetime(2026, 3, 1, 10, tzinfo=UTC),
            False,
        ),
        ({"originalTimestamp": None, "timestamp": "2026-03-01T10:00Z"}, datetime(2026, 3, 1, 10, tzinfo=UTC), False),
    ],
)
def test_times(item: dict[str, Any], occurred: datetime, wrong: bool) -> None:
    found = call(**item)
    assert (found.times.occurred_at, found.has_wrong_time) == (occurred, wrong)


@pytest.mark.parametrize(
    ("authorization", "payload", "key"),
    [
        ("Basic YWJjMTIzOg==", {}, "abc123"),
        ("basic " + base64.b64encode(b"abc123").decode(), {"writeKey": "other"}, "abc123"),
        ("Bearer token", {"writeKey": "abc123"}, "abc123"),
        ("Bearer abc123", {}, "abc123"),
        ("", {"writeKey": "abc123"}, "abc123"),
        ("", {"writeKey": 7}, ""),
        ("Basic \u00e9", {"writeKey": "abc123"}, ""),
        ("Basic /w==", {}, ""),
        ("", {}, ""),
    ],
)
def test_the_key_is_found_where_clients_put_it(authorization: str, payload: dict[str, Any], key: str) -> None:
    assert write_key(authorization, payload) == key


@pytest.mark.parametrize(
    "body",
    [
        b"", b"nul", b"[]", b'"text"', b"{", b'{"a": NaN}', b'{"a": -Infinity}', b"\xff\xfe{}", b'{"a": "\xed\xa0\x80"}',
        b'{"a": %s}' % (b"9" * 5_000), b"[" * 5_000, b'{"a":' * 5_000, b'{"a": ' + b"[" * 16_000,
    ],
    ids=range(13),
)  # fmt: skip
@pytest.mark.parametrize("path", ["track", "b"])
def test_what_is_no_json_object_is_refused(body: bytes, path: str) -> None:
    for encoded, label in ((body, ""), (gzip.compress(body), "gzip"), (gzip.compress(body), "")):
        with pytest.raises(BadBody):
            parse(encoded, label, path)


def test_sizes_are_those_of_the_specification() -> None:
    def body(size: int, start: bytes = b'{"a":"') -> bytes:
        return start + b"x" * (size - len(start) - 2) + b'"}'

    assert parse(body(32 * 1024), "", "t")
    batch = b'{"batch":[],"a":"'
    assert parse(body(500 * 1024, batch), "", "batch")
    for path, text in (("t", body(32 * 1024 + 1)), ("batch", body(500 * 1024 + 1, batch))):
        for encoded in (text, gzip.compress(text)):
            with pytest.raises(BadBody, match="larger than"):
                parse(encoded, "", path)
    bomb = gzip.compress(b"0" * 50_000_000)
    with pytest.raises(BadBody, match="larger than 500 KB"):
        parse(bomb, "gzip", "batch")
    for broken in (b"\x1f\x8b broken", gzip.compress(b"{}")[:-9], b"{}"):
        with pytest.raises(BadBody):
            parse(broken, "gzip", "t")


def test_a_batch_that_is_none_is_refused() -> None:
    for body in (b"{}", b'{"batch": {}}', b'{"batch": null}'):
        with pytest.raises(BadBody):
            parse(body, "", "b")


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"userId": None}, Reason.NO_ID),
        ({"userId": " ", "anonymousId": {}}, Reason.NO_ID),
        ({"userId": True}, Reason.NO_ID),
        ({"event": ""}, Reason.NO_NAME),
        ({"event": ["E"]}, Reason.NO_NAME),
        ({"messageId": "m" * 101}, Reason.BAD_MESSAGE_ID),
        ({"userId": "u" * 256}, Reason.LONG_ID),
        ({"properties": {"a": "\x00"}}, Reason.BAD_TEXT),
        ({"properties": {"\ud800": 1}}, Reason.BAD_TEXT),
    ],
)
def test_what_cannot_be_recorded_says_why(item: dict[str, Any], expected: Reason) -> None:
    assert reason(**item) == expected


def test_a_call_that_was_small_enough_to_be_taken_is_recorded() -> None:
    """Written anew it is larger: its type is added, and a fraction as it was written stands between quotes."""
    start = b'{"userId":"u","event":"E","prices":[' + b",".join([b"12.50"] * 5_000)
    body = start + b'],"note":"' + b"x" * (protocol.MOST_CALL_BYTES - len(start) - len(b'],"note":""}')) + b'"}'
    assert len(body) == protocol.MOST_CALL_BYTES
    [found] = calls(parse(body, "", "track"), "track")
    assert isinstance(found, Call)
    assert found.extra["prices"] == [Decimal("12.50")] * 5_000


def test_what_does_not_fit_into_its_place_is_kept_and_named() -> None:
    found = call(properties="text", traits=["a"], context=7, anonymousId={"a": 1}, name="N", timestamp="noon")
    assert set(found.wrong) == {"properties", "traits", "context", "anonymousId"}
    assert found.extra == {
        "properties": "text", "traits": ["a"], "context": 7, "anonymousId": {"a": 1}, "name": "N", "timestamp": "noon",
    }  # fmt: skip
    assert found.has_wrong_time
    empty = call(
        properties=[], traits=[], context="", anonymousId=[], timestamp="2026-03-01T12:00:00Z"
    )  # as PHP says it
    assert (empty.wrong, empty.extra) == ((), {})


def _nested(levels: int) -> Any:
    return 1 if not levels else [_nested(levels - 1)]


PLAIN = {"type": "track", "event": "E", "userId": "u", "properties": {"price": 3.5}}
ODD: list[tuple[dict[str, Any], Reason | None]] = [
    ({"properties": {"a": "x" * 33_000}}, Reason.TOO_LARGE),
    ({"properties": {f"{n}": {"messageId": "x" * 1_000} for n in range(40)}}, Reason.TOO_LARGE),
    ({"properties": {"a": _nested(40)}}, Reason.TOO_DEEP),
    ({"properties": {"a": "\x00"}}, Reason.BAD_TEXT),
    ({"properties": {"a": "\ud800"}}, Reason.BAD_TEXT),
    ({"properties": {"a": '"messageId"'}}, None),
    ({"properties": {"a": "\U0001f600"}}, None),
]


@pytest.mark.parametrize(("odd", "expected"), ODD, ids=range(len(ODD)))
def test_what_is_unfit_is_found_whatever_stands_beside_it(odd: dict[str, Any], expected: Reason | None) -> None:
    named: list[Any] = [PLAIN | {"messageId": "1"}, PLAIN | odd | {"messageId": "2"}, PLAIN | {"messageId": "3"}]
    hidden = [PLAIN, PLAIN | odd | {"messageId": "2"}, PLAIN]  # as many names in the text as calls, and not one each
    twice = [PLAIN | {"x": {"messageId": 1}}, PLAIN | odd, PLAIN | {"messageId": "3", "x": {"messageId": 1}}]
    for items in (named, hidden, twice):
        text = json.dumps({"batch": items}).encode()
        found = list(read_calls(parse(text, "", "batch"), "batch", AT, "own", text))
        assert [getattr(each, "reason", None) for each in found] == [None, expected, None]


def test_calls_that_a_look_at_the_whole_body_finds_fit_are_not_looked_at_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = json.dumps({"batch": [PLAIN | {"messageId": f"{n}"} for n in range(2_500)]}).encode()
    monkeypatch.setattr(protocol, "_unfit", None)
    found = list(read_calls(parse(text, "", "batch"), "batch", AT, "own", text))
    assert [each.message_id for each in found if isinstance(each, Call)] == [f"{n}" for n in range(2_500)]


def test_nesting_has_an_end() -> None:
    deep: Any = 1
    for _ in range(29):
        deep = [deep]
    assert call(properties={"a": deep})
    for _ in range(3):
        deep = {"a": deep}
    assert reason(properties={"a": deep}) == Reason.TOO_DEEP
    wide: dict[str, list[int]] = {str(n): [] for n in range(500)}
    assert call(properties=wide).properties == wide


@pytest.mark.parametrize(
    ("path", "item", "expected"),
    [
        ("group", {"userId": "u"}, Reason.NO_GROUP),
        ("alias", {"userId": "u"}, Reason.NO_PREVIOUS),
        ("alias", {"anonymousId": "a", "previousId": "p"}, Reason.NO_PREVIOUS),
        ("identify", {}, Reason.NO_ID),
    ],
)
def test_each_type_has_what_it_cannot_do_without(path: str, item: dict[str, Any], expected: Reason) -> None:
    assert calls(item, path) == [Rejected(path, expected)]
    assert calls(item | {"type": "track"}, path[0]) == [Rejected(path, expected)]  # the address says what it is


def test_one_bad_call_of_a_batch_hinders_no_other() -> None:
    items = [None, 7, {"type": "x", "userId": "u"}, {"type": ["track"]}, {"userId": "u"}, {"type": "page", "userId": 5}]
    found = calls({"batch": items})
    assert [getattr(each, "reason", None) for each in found] == [
        Reason.NOT_AN_OBJECT, Reason.NOT_AN_OBJECT, Reason.UNKNOWN_TYPE, Reason.UNKNOWN_TYPE, Reason.UNKNOWN_TYPE, None,
    ]  # fmt: skip
    assert isinstance(found[-1], Call)
    assert (found[-1].user_id, found[-1].message_id) == ("5", "own-5")


def test_more_than_2500_calls_are_rejected_as_a_whole() -> None:
    item = {"type": "page", "userId": "u"}
    assert len(calls({"batch": [item] * 2_500})) == 2_500
    assert calls({"batch": [item] * 2_501}) == [Rejected("", Reason.TOO_MANY)]


def test_the_context_of_a_batch_is_that_of_its_calls_which_may_say_otherwise() -> None:
    payload = {
        "batch": [
            {"type": "page", "userId": "u", "context": {"ip": "own"}},
            {"type": "page", "userId": "u", "context": 7},
        ],
        "context": {"ip": "shared", "app": {"v": 1}},
        "integrations": {"All": True},
        "sentAt": "2026-03-01T12:00:21Z",
        "other": 1,
    }
    first, second = calls(payload)
    assert isinstance(first, Call)
    assert isinstance(second, Call)
    assert (first.context, second.context) == ({"ip": "own", "app": {"v": 1}}, {"ip": "shared", "app": {"v": 1}})
    assert first.extra == second.extra == {"integrations": {"All": True}}
    assert first.times.sent_at == AT


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"page": {"url": "\x00"}}, Reason.BAD_TEXT),
        ({"ip": "\ud800"}, Reason.BAD_TEXT),
        ({"a": _nested(40)}, Reason.TOO_DEEP),
        ({"a": _nested(900)}, Reason.TOO_DEEP),
        ({"a": "x" * 33_000}, Reason.TOO_LARGE),
    ],
)
def test_what_all_calls_of_a_batch_share_is_as_fit_as_they_are(context: dict[str, Any], expected: Reason) -> None:
    """Else reading it failed, and with it all that was read together."""
    calls = [{"type": "track", "event": "E", "anonymousId": "a", "messageId": f"m-{n}"} for n in range(2)]
    payload = {"batch": calls, "context": context}
    text = json.dumps(payload).encode()
    assert list(read_calls(payload, "batch", AT, "k", text)) == [Rejected("", expected)]


def test_unknown_fields_and_fractions_are_kept_as_they_came() -> None:
    body = b'{"userId":"u","event":"E","channel":"web","_metadata":{"a":[1.10]},"properties":{"x":1.10}}'
    [found] = calls(parse(body, "", "t"), "t")
    assert isinstance(found, Call)
    assert found.extra == {"channel": "web", "_metadata": {"a": [Decimal("1.10")]}}
    assert str(found.properties["x"]) == "1.10"


@pytest.mark.parametrize("capture", [c for c in all_captures() if c.method == "POST"], ids=lambda c: c.name)
def test_every_call_of_real_clients_is_understood(capture: Any) -> None:
    path = capture.path.removeprefix("/v1/")
    payload = parse(capture.body, capture.headers.get("content-encoding", ""), path)
    assert write_key(capture.headers.get("authorization", ""), payload) == "WRITE_KEY"
    found = list(read_calls(payload, path, AT, "own"))
    sent = capture.calls
    assert [type(each) for each in found] == [Call] * len(sent)
    for each, item in zip(found, sent, strict=True):
        assert isinstance(each, Call)
        assert each.message_id == item["messageId"]
        assert each.kind == item.get("type", protocol.PATHS[path])
        assert (each.user_id, each.anonymous_id) == (item.get("userId") or "", item.get("anonymousId") or "")
        assert json.loads(json.dumps(each.properties, default=float)) == item.get("properties", {})
        stamp = item.get("originalTimestamp") or item["timestamp"]
        assert each.times.original_at == datetime.fromisoformat(stamp)
        assert not each.has_wrong_time
