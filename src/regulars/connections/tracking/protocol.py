"""Segment's HTTP tracking protocol (segment.com/docs/connections/sources/catalog/libraries/server/http-api): from bytes to typed calls.

Pure: bytes, labels and the time of receipt in; calls, and what was rejected and why, out. What real clients send, labels and all, is in
the tests' captures.
"""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn
from urllib.parse import unquote

import msgspec

from regulars.record.customers.rules import is_placeholder_id

MOST_CALL_BYTES = 32 * 1024
MOST_BATCH_BYTES = 500 * 1024
MOST_EVENTS = 2_500
LONGEST_ID = 100
LONGEST_NAME = 255
DEEPEST = 32
FUTURE = timedelta(minutes=5)  # a client's clock may be ahead by so much; beyond, the time of receipt counts
LATE = timedelta(days=1)
BATCH = "batch"
TYPES = {"track", "identify", "page", "screen", "group", "alias"}
PATHS = {word: kind for kind in (*sorted(TYPES), BATCH) for word in (kind, kind[0])}


class BadBody(Exception):
    """The body is not what this address takes: 400. The text says why and repeats nothing of it."""


class Reason(StrEnum):
    """Why one call of a body that was taken is not recorded, or is recorded with a mark."""

    NO_ID = "no userId and no anonymousId"
    NO_NAME = "no event name"
    NO_GROUP = "no groupId"
    NO_PREVIOUS = "no previousId"
    UNKNOWN_TYPE = "no such type of call"
    NOT_AN_OBJECT = "not an object"
    TOO_LARGE = "larger than 32 KB"
    TOO_MANY = "more than 2,500 events in one batch"
    TOO_DEEP = "nested too deeply"
    BAD_TEXT = "text that cannot be stored"
    BAD_MESSAGE_ID = "messageId longer than 100 characters"
    LONG_ID = "an id longer than 255 characters"
    UNTRUSTED_ALIAS = "alias from a browser key"
    UNTRUSTED_ORDER = "an order from a browser key changes no order"
    WRONG_TYPES = "fields of another type"
    WRONG_TIME = "a time that cannot be read"
    NO_PRODUCTS = "an order without products"
    UNKNOWN_ORDER = "a refund of an unknown order"


class Times(NamedTuple):
    """The four times of a call: ``occurred_at`` is worked out from the others, which are kept."""

    occurred_at: datetime
    received_at: datetime
    sent_at: datetime | None = None
    original_at: datetime | None = None


class Call(NamedTuple):
    """One call in typed form; a tuple, which costs a third of a frozen dataclass to make. ``extra`` holds every top-level field
    that has no place of its own, and those that are of another type than their place takes, which ``wrong`` names."""

    kind: str
    message_id: str
    times: Times
    user_id: str
    anonymous_id: str
    name: str  # of the event, page or screen
    group_id: str
    previous_id: str
    properties: dict[str, Any]
    traits: dict[str, Any]
    context: dict[str, Any]
    extra: dict[str, Any]
    has_wrong_time: bool
    wrong: tuple[str, ...] = ()

    @property
    def is_late(self) -> bool:
        """Told a day after it happened, or more: it is history, which starts no workflow."""
        return self.times.received_at - self.times.occurred_at >= LATE


@dataclass(frozen=True)
class Rejected:
    """One call that is not recorded."""

    kind: str  # one of TYPES, or ''
    reason: Reason


def decompress(body: bytes, encoding: str, most: int) -> bytes:
    """The body in clear. Clients label it as they please: gzip is known by its first bytes too. Raises BadBody."""
    if "gzip" not in encoding.lower() and body[:2] != b"\x1f\x8b":
        plain = body
    else:
        reader = zlib.decompressobj(wbits=31)
        try:
            plain = reader.decompress(body, most + 1)
        except zlib.error as error:
            raise BadBody("The body is labelled gzip and is not.") from error
        if not reader.eof and len(plain) <= most:
            raise BadBody("The compressed body ends too early.")
    if len(plain) > most:
        raise BadBody(f"The body is larger than {most // 1024} KB.")
    return plain


def in_clear(body: bytes, encoding: str, path: str) -> bytes:
    """The text of a body to ``/v1/<path>``. Raises BadBody."""
    return decompress(body, encoding, MOST_BATCH_BYTES if PATHS[path] == BATCH else MOST_CALL_BYTES)


def parse(body: bytes, encoding: str, path: str) -> dict[str, Any]:
    """As ``parse_text``, of a body as it came."""
    return parse_text(in_clear(body, encoding, path), path)


def parse_text(plain: bytes, path: str) -> dict[str, Any]:
    """The JSON object of a body to ``/v1/<path>``; fractions are as they were written (``as_written``). Raises BadBody."""
    return _payload(plain, path, _read)


def _payload(plain: bytes, path: str, read: Callable[[bytes], Any]) -> dict[str, Any]:
    is_batch = PATHS[path] == BATCH
    try:
        payload = read(plain)
    except (ValueError, RecursionError) as error:
        raise BadBody("The body is not valid JSON.") from error
    if not isinstance(payload, dict) or (is_batch and not isinstance(payload.get(BATCH), list)):
        raise BadBody(
            "The body is not an object with a list named batch." if is_batch else "The body is not an object."
        )
    return payload


def _read(plain: bytes) -> Any:
    """Half of a surrogate pair and a byte order mark are not for the quick decoder. Raises ValueError, RecursionError."""
    try:
        return DECODER.decode(plain)
    except ValueError:
        return _read_slowly(plain)


def _read_slowly(plain: bytes) -> Any:
    return json.loads(plain.decode("utf-8-sig"), parse_float=as_written, parse_constant=_refuse)


class _Call(msgspec.Struct):
    """Of a call in a batch the quick look only sees that it is an object."""


class _Look(msgspec.Struct):
    writeKey: str | None = None


class _LookAtBatch(_Look, kw_only=True):
    batch: list[_Call]


_LOOKS: Mapping[bool, msgspec.json.Decoder[Any]] = {
    True: msgspec.json.Decoder(_LookAtBatch),
    False: msgspec.json.Decoder(_Look),
}


def look(plain: bytes, path: str) -> Mapping[str, Any]:
    """What taking a body in needs of it: that ``parse_text`` will take it, and its ``writeKey``, if any. Raises BadBody as that does.

    Nothing else of it is made into objects, which costs eight times as much; whatever the quick look cannot tell, Python's own decoder
    decides. Not the other quick one: Python 3.13 lets that go 10,000 levels down, and threads of the web server have 2 MB of stack.
    """
    try:
        _look_at_the_skipped(plain)
        return {"writeKey": _LOOKS[PATHS[path] == BATCH].decode(plain).writeKey}
    except (ValueError, RecursionError):
        return _payload(plain, path, _read_slowly)


_DIGITS = bytes.maketrans(b"123456789", b"000000000")


def _look_at_the_skipped(plain: bytes) -> None:
    """Raises ValueError for what the decoder does not see where it makes no objects: bytes that are no text, and, perhaps, a number of
    more than 4,300 digits, which Python does not read: such a one has a digit at ten places in a row that are 430 apart."""
    if not plain.isascii():
        plain.decode()
    if b"0" * 10 in plain[::430].translate(_DIGITS):
        raise ValueError("perhaps a number too long")


def as_written(text: str) -> float | Decimal | str:
    """As it was written: a float where that is written the same again, as nearly everything is that programs send."""
    number = float(text)
    try:
        return number if repr(number) == text else Decimal(text)
    except InvalidOperation:  # an exponent beyond all numbers
        return text


DECODER = msgspec.json.Decoder(float_hook=as_written)


def _refuse(constant: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def write_key(authorization: str, payload: Mapping[str, Any]) -> str:
    """The key that a request names: as user of Basic (a colon after it is left out by old clients), in the body, or as Bearer."""
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() == "basic":
        try:
            return unquote(base64.b64decode(value.strip(), validate=True).decode().partition(":")[0])
        except (binascii.Error, ValueError):
            return ""
    if isinstance(payload.get("writeKey"), str):
        return str(payload["writeKey"])
    return value.strip() if scheme.lower() == "bearer" else ""


def read_calls(
    payload: Mapping[str, Any], path: str, received_at: datetime, key: str, text: bytes = b""
) -> Iterator[Call | Rejected]:
    """Every call of a body. ``key`` makes message ids for those that have none: the same when the body is read again. ``text``, the
    body in clear, saves a close look at each call.
    """
    kind = PATHS[path]
    if kind != BATCH:
        yield _read_one({**payload, "type": kind}, {}, received_at, key, most=MOST_BATCH_BYTES)  # measured as it came
        return
    items = payload[BATCH]
    if len(items) > MOST_EVENTS:
        yield Rejected("", Reason.TOO_MANY)
        return
    shared = {name: payload[name] for name in ("context", "integrations", "sentAt") if payload.get(name) is not None}
    if shared and (reason := _unfit(shared)):  # then no call of it could be stored
        yield Rejected("", reason)
        return
    for place, (item, is_fit) in enumerate(zip(items, _fit(items, text), strict=True)):
        yield _read_one(item, shared, received_at, f"{key}-{place}", is_fit)


_NAMED = b'"messageId"'


def _fit(items: Sequence[Any], text: bytes) -> Sequence[bool]:
    """Of each call of a body, whether a quick look at its text tells that nothing in it is unfit (see ``_unfit``); no tells nothing.

    Where each names itself once, and no letter is escaped, a call lies between the name before its own and the one after it.
    """
    pieces = text.split(_NAMED)
    is_each_named = len(pieces) == len(items) + 1 and all(
        isinstance(item, dict) and "messageId" in item for item in items
    )
    if not is_each_named or b"\\u" in text:
        return [False] * len(items)
    sizes = [len(piece) for piece in pieces]
    depths = [piece.count(b"{") + piece.count(b"[") for piece in pieces]
    most = MOST_CALL_BYTES - len(_NAMED)
    if max(sizes) * 2 <= most and max(depths) * 2 <= DEEPEST:
        return [True] * len(items)
    return [
        size + after <= most and depth + deeper <= DEEPEST
        for size, after, depth, deeper in zip(sizes, sizes[1:], depths, depths[1:], strict=False)
    ]


def _read_one(
    item: Any,
    shared: Mapping[str, Any],
    received_at: datetime,
    own_key: str,
    is_fit: bool = False,
    most: int = MOST_CALL_BYTES,
) -> Call | Rejected:
    if not isinstance(item, dict):
        return Rejected("", Reason.NOT_AN_OBJECT)
    kind = item.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        return Rejected("", Reason.UNKNOWN_TYPE)
    reason = None if is_fit else _unfit(item, most)
    if reason:
        return Rejected(kind, reason)
    whole = {**shared, **item} if shared else item
    if "context" in shared:
        whole["context"] = {**_object(shared, "context"), **_object(item, "context")}
    call = _typed(kind, whole, received_at, own_key)
    reason = _missing(call)
    return Rejected(kind, reason) if reason else call


def _unfit(item: dict[str, Any], most: int = MOST_CALL_BYTES) -> Reason | None:
    """What cannot be stored, or would break whoever reads it later."""
    try:
        text = msgspec.json.encode(item)
    except (ValueError, RecursionError):  # half of a surrogate pair, or hundreds of levels
        return Reason.TOO_DEEP if _depth(item) > DEEPEST else Reason.BAD_TEXT
    if len(text) > most:
        return Reason.TOO_LARGE
    if b"\\u0000" in text:
        return Reason.BAD_TEXT
    return Reason.TOO_DEEP if text.count(b"{") + text.count(b"[") > DEEPEST and _depth(item) > DEEPEST else None


def _depth(value: Any, level: int = 1) -> int:
    """How deeply it is nested; stops counting beyond the limit."""
    if level > DEEPEST or not isinstance(value, dict | list):
        return level
    return max(
        (_depth(part, level + 1) for part in (value.values() if isinstance(value, dict) else value)), default=level
    )


_IDS = ("messageId", "userId", "anonymousId", "groupId", "previousId")
_OBJECTS = ("properties", "traits", "context")
_TIMES = ("timestamp", "originalTimestamp", "sentAt")
# What has a place of its own, and of which types it may be there; () is any.
_PLACED: Mapping[str, tuple[type, ...]] = (
    dict.fromkeys(_IDS, (str, int))
    | dict.fromkeys(_OBJECTS, (dict,))
    | dict.fromkeys((*_TIMES, "type", "receivedAt", "writeKey"), ())
)
_PLACED_OF_TRACK = {**_PLACED, "event": (str, int)}
_PLACED_OF_OTHERS = {**_PLACED, "name": (str, int)}


def _typed(kind: str, item: dict[str, Any], received_at: datetime, own_key: str) -> Call:
    context, properties, traits = _object(item, "context"), _object(item, "properties"), _object(item, "traits")
    if "traits" in context:
        traits = {**_object(context, "traits"), **traits}
    name = item.get("event") if kind == "track" else item.get("name") or properties.get("name")
    times, has_wrong_time = read_times(item, received_at)
    placed = _PLACED_OF_TRACK if kind == "track" else _PLACED_OF_OTHERS
    extra = {
        name: value
        for name, value in item.items()
        if value is not None
        # An empty one says nothing, whatever its type: PHP writes an object without fields as [].
        and ((types := placed.get(name)) is None or (types and type(value) not in types and value))
    }
    if has_wrong_time:
        extra |= {name: item[name] for name in _TIMES if item.get(name) is not None}
    return Call(
        kind=kind,
        message_id=_id(item.get("messageId")) or own_key,
        times=times,
        user_id=_persons_id(item["userId"]) if "userId" in item else "",
        anonymous_id=_persons_id(item["anonymousId"]) if "anonymousId" in item else "",
        name=_id(name),
        group_id=_id(item["groupId"]) if "groupId" in item else "",
        previous_id=_persons_id(item["previousId"]) if "previousId" in item else "",
        properties=properties,
        traits=traits,
        context=context,
        extra=extra,
        has_wrong_time=has_wrong_time,
        wrong=tuple(name for name in extra if placed.get(name)) if extra else (),
    )


def _missing(call: Call) -> Reason | None:
    """What a call of its type cannot do without."""
    if not (call.user_id or call.anonymous_id):
        return Reason.NO_ID
    if call.kind == "track" and not call.name:
        return Reason.NO_NAME
    if call.kind == "group" and not call.group_id:
        return Reason.NO_GROUP
    if call.kind == "alias" and not (call.previous_id and call.user_id):
        return Reason.NO_PREVIOUS
    if len(call.message_id) > LONGEST_ID:
        return Reason.BAD_MESSAGE_ID
    longest = max(len(call.user_id), len(call.anonymous_id), len(call.group_id), len(call.previous_id))
    return Reason.LONG_ID if longest > LONGEST_NAME else None


def _object(holder: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = holder.get(name)
    return found if type(found) is dict else {}


def _id(value: Any) -> str:
    """An id or name as text; a number is one, everything else is none."""
    if type(value) is str:
        return value.strip()
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _persons_id(value: Any) -> str:
    """As ``_id``, without 'undefined', 'null', 0 and the like, which programs send of whoever they do not know."""
    text = _id(value)
    return "" if is_placeholder_id(text) else text


def read_times(item: Mapping[str, Any], received_at: datetime) -> tuple[Times, bool]:
    """The four times, and whether one of them could not be read.

    timestamp = receivedAt - (sentAt - originalTimestamp): the client's clock cancels out. Without sentAt the given time stands, as
    imports of history need it, and so does a timestamp beside an originalTimestamp: RudderStack's libraries say so when something
    happened, and relays what they worked out. More than five minutes ahead of receipt is a wrong clock: then it happened when it was received.
    """
    original, original_fits = read_time(item.get("originalTimestamp", item.get("timestamp")))
    sent, sent_fits = read_time(item.get("sentAt"))
    occurred = received_at if original is None else original if sent is None else received_at - (sent - original)
    if "originalTimestamp" in item:
        occurred = read_time(item.get("timestamp"))[0] or occurred
    if occurred > received_at + FUTURE:
        occurred = received_at
    return Times(occurred, received_at, sent, original), not (original_fits and sent_fits)


_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?(Z|z|[+-]\d\d:?\d\d)?", re.ASCII)


def read_time(value: Any) -> tuple[datetime | None, bool]:
    """An ISO 8601 moment of this age (without a zone: UTC), and whether the value could be read; null is 'not said'."""
    if value is None:
        return None, True
    moment = _moment(value) if isinstance(value, str) and len(value) <= _LONGEST_TIME else None
    return moment, moment is not None


_LONGEST_TIME = 60  # with spaces around it


@lru_cache(maxsize=256)  # all calls of a batch name the moment at which it was sent
def _moment(value: str) -> datetime | None:
    found = _ISO.fullmatch(value.strip())
    if found is None:
        return None
    text = found[0] if len(found[2] or "") <= 7 else re.sub(r"([.,]\d{6})\d+", r"\1", found[0])
    try:
        moment = datetime.fromisoformat(text.replace(",", ".").upper())
        if moment.tzinfo is not UTC:
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if 1990 <= moment.year <= 2200 else None
