"""What shoppers do, as their browser or the shop's server tells it."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from msgspec.json import encode

from regulars.connections.tracking.origins import origin_of
from regulars.connections.tracking.protocol import Call
from regulars.connections.tracking.spec import (
    SPEC,
    EventSpec,
    Type,
    Typed,
    find_spec,
    is_plain,
    to_number,
    type_properties,
)
from regulars.foundation.card_numbers import mask_card_numbers, may_hold_card_numbers
from regulars.foundation.sealing import Sealer
from regulars.record.events.kinds import register
from regulars.record.events.log import Entry
from regulars.record.own_events.rules import ByEvent, values_of

_COMMON = {
    "name": "of the event, page or screen, where it is plain; else it is sealed",
    "properties": "typed fields that may stand in clear; the others are sealed",
    "clear": "campaign, source, medium and device, where they are plain words",
    "invalid": "names of fields that had another type; they are sealed as they came",
    "trust": "claimed (browser key) or confirmed (server key)",
    "key": "number of the tracking key",
    "received_at": "when it came in",
    "sent_at": "when the client says that it sent it",
    "original_at": "when the client says that it happened; occurred_at has its clock corrected",
}
KINDS = {
    spec.name: register(
        spec.kind,
        f"The shopper's side said '{spec.name}'; its fields are typed, the others are those of tracked.event",
        "",
        **{f"properties.{name}": kind.value for name, kind in spec.fields.items() if kind is not Type.FREE},
    )
    for spec in SPEC.values()
}
TRACKED = register(
    "tracked.event",
    "Something of the shop's own happened, told by a tracker",
    "",
    **_COMMON,
    declared="values that staff declared as not personal, by the declaration's number",
)
CALLS = {
    call: register(kind, meaning, "", **_COMMON)
    for call, kind, meaning in (
        ("identify", "tracked.identified", "A tracker said who somebody is"),
        ("page", "tracked.page_viewed", "A page was looked at"),
        ("screen", "tracked.screen_viewed", "A screen of an app was looked at"),
        ("group", "tracked.grouped", "A tracker said which group somebody belongs to"),
        ("alias", "tracked.aliased", "A tracker said that two ids are one person"),
    )
}
_LONGEST_KEY = 60


def spec_of(call: Call) -> EventSpec | None:
    return find_spec(call.name) if call.kind == "track" else None


def typed(call: Call, spec: EventSpec | None) -> Typed:
    """The call's properties sorted by the spec; without one, numbers and yes or no stand in clear under plain names."""
    said = type_properties(spec.fields, call.properties) if spec else _untyped(call)
    return said._replace(invalid=(*call.wrong, *said.invalid)) if call.wrong else said


def _untyped(call: Call) -> Typed:
    clear: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in call.properties.items():
        calm = value if isinstance(value, str | bool) else to_number(value)
        if calm is None or isinstance(value, str) or not _is_plain_name(name):
            rest[name] = value
        else:
            clear[name] = value if isinstance(value, int) else calm
    return Typed(clear, rest)


# What calls, pays for or lets in somebody may be a number too: {phone: 447911123456}, {cvv: 737}.
_OF_A_PERSON = {
    "phone", "telephone", "tel", "mobile", "fax", "cvv", "cvc", "csc", "pin", "otp", "ssn", "iban", "passport", "password", "token",
}  # fmt: skip
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@lru_cache(4_096)
def _is_plain_name(name: str) -> bool:
    """Whether a number under this name may stand in clear."""
    is_plain_text = len(name) <= _LONGEST_KEY and name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return is_plain_text and _OF_A_PERSON.isdisjoint(word.lower() for word in _WORD.findall(name))


def of_call(
    call: Call,
    spec: EventSpec | None,
    said: Typed,
    profile_id: int,
    customer_id: int,
    sealer: Sealer,
    declared: ByEvent,
    *,
    trust: str,
    key_id: int,
) -> Entry:
    """The event of one call. ``sealer`` is the profile's own: what may speak of a person is sealed with it."""
    times = call.times
    data: dict[str, Any] = {
        "properties": said.clear,
        "trust": trust,
        "key": key_id,
        "received_at": times.received_at,
    }
    if not spec and call.name and is_plain(call.name):
        data["name"] = call.name
    if origin := origin_of(call.context):
        data["clear"] = origin
    if said.invalid:
        data["invalid"] = list(said.invalid)
    if times.sent_at:
        data["sent_at"] = times.sent_at
    if times.original_at:
        data["original_at"] = times.original_at
    sealed = sealer(_to_bytes(_said(call, said.rest)))
    kind = spec.kind if spec else CALLS.get(call.kind, TRACKED)
    if declared and kind is TRACKED and (plain := values_of(declared, call.name, call.properties)):
        data["declared"] = plain
    return Entry(kind, times.occurred_at, profile_id, customer_id, None, data, sealed, call.is_late)


def _said(call: Call, rest: Mapping[str, Any]) -> dict[str, Any]:
    """Everything of the call that does not stand in clear, so that nothing is lost."""
    context = call.context
    if "traits" in context:
        context = {name: value for name, value in context.items() if name != "traits"}
    said = {
        "message_id": call.message_id,
        "user_id": call.user_id,
        "anonymous_id": call.anonymous_id,
        "group_id": call.group_id,
        "previous_id": call.previous_id,
        "name": call.name,
        "rest": rest,
        "traits": call.traits,
        "context": context,
        "extra": call.extra,
    }
    return {name: value for name, value in said.items() if value}


def _to_bytes(said: Mapping[str, Any]) -> bytes:
    """JSON without card numbers in what the sender is free to say; a fraction that is no float is text."""
    plain = encode(said)
    if not may_hold_card_numbers(plain):
        return plain
    return encode({name: _masked(part) if name in _FREE else part for name, part in said.items()})


_FREE = frozenset(["rest", "traits", "extra"])


def _masked(value: Any) -> Any:
    """The value with card numbers masked wherever a text in it holds one."""
    if isinstance(value, str):
        return mask_card_numbers(value)
    if isinstance(value, dict):
        return {name: _masked(part) for name, part in value.items()}
    return [_masked(part) for part in value] if isinstance(value, list) else value
