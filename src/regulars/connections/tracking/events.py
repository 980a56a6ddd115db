"""What shoppers do, as their browser or the shop's server tells it."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

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
from regulars.foundation.card_numbers import mask_card_numbers
from regulars.foundation.sealing import seal
from regulars.record.customers.recorded import cell_of
from regulars.record.events.kinds import register
from regulars.record.events.log import Entry

_COMMON = {
    "name": "of the event, page or screen, where it is plain; else it is sealed",
    "properties": "typed fields that may stand in clear; the others are sealed",
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
TRACKED = register("tracked.event", "Something of the shop's own happened, told by a tracker", "", **_COMMON)
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
    if spec:
        return type_properties(spec.fields, call.properties)
    clear = {name: value for name, value in call.properties.items() if _is_calm(name, value)}
    return Typed(clear, {name: value for name, value in call.properties.items() if name not in clear})


def _is_calm(name: str, value: Any) -> bool:
    if isinstance(value, str) or not (isinstance(value, bool) or to_number(value) is not None):
        return False
    return len(name) <= _LONGEST_KEY and name.isascii() and name.replace("_", "").replace("-", "").isalnum()


def of_call(
    call: Call,
    spec: EventSpec | None,
    said: Typed,
    profile_id: int,
    customer_id: int,
    key: bytes,
    *,
    trust: str,
    key_id: int,
) -> Entry:
    """The event of one call. ``key`` is the profile's own: what may speak of a person is sealed with it."""
    times = call.times
    data: dict[str, Any] = {
        "properties": said.clear,
        "trust": trust,
        "key": key_id,
        "received_at": times.received_at.isoformat(),
    }
    if not spec and call.name and is_plain(call.name):
        data["name"] = call.name
    if said.invalid:
        data["invalid"] = list(said.invalid)
    if times.sent_at:
        data["sent_at"] = times.sent_at.isoformat()
    if times.original_at:
        data["original_at"] = times.original_at.isoformat()
    sealed = seal(key, to_bytes(_said(call, said.rest)), cell_of(profile_id))
    kind = spec.kind if spec else CALLS.get(call.kind, TRACKED)
    return Entry(kind, times.occurred_at, profile_id, customer_id, None, data, sealed, call.is_late)


def _said(call: Call, rest: Mapping[str, Any]) -> dict[str, Any]:
    """Everything of the call that does not stand in clear, so that nothing is lost."""
    context = call.context
    said = {
        "message_id": call.message_id,
        "user_id": call.user_id,
        "anonymous_id": call.anonymous_id,
        "group_id": call.group_id,
        "previous_id": call.previous_id,
        "name": call.name,
        "rest": _masked(rest),
        "traits": _masked(call.traits),
        "context": {name: value for name, value in context.items() if name != "traits"}
        if "traits" in context
        else context,
        "extra": call.extra,
    }
    return {name: value for name, value in said.items() if value}


def to_bytes(said: Mapping[str, Any]) -> bytes:
    """JSON; a fraction stays a number where it is the same again."""
    return _to_json(said).encode()


def _masked(value: Any) -> Any:
    """The value with card numbers masked wherever a text in it holds one."""
    if isinstance(value, str):
        return mask_card_numbers(value)
    if isinstance(value, dict):
        return {name: _masked(part) for name, part in value.items()}
    return [_masked(part) for part in value] if isinstance(value, list) else value


def _number(value: Any) -> Any:
    if not isinstance(value, Decimal):
        raise TypeError(type(value).__name__)
    as_float = float(value)
    return as_float if Decimal(str(as_float)) == value else str(value)


_to_json = json.JSONEncoder(default=_number, separators=(",", ":")).encode
