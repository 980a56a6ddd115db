"""From what came in to the record: set-wise, in one transaction, each call once."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from regulars.connections.tracking import events, shopping
from regulars.connections.tracking.models import Refusal, TrackingKey
from regulars.connections.tracking.people import Speaker, naming_identity, what_is_said, who
from regulars.connections.tracking.protocol import BadBody, Call, Reason, Rejected, parse, read_calls
from regulars.connections.tracking.spec import Typed, find_spec
from regulars.foundation.bulk import execute
from regulars.foundation.inbox.parsers import Outcome, RawInput
from regulars.foundation.vault import keys
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.queries import confirmed_among, customers_of
from regulars.record.events import log as event_log
from regulars.record.events.log import LogTransaction, event_key

MOST_NAMED = 3  # fields of another type: whoever sends all their combinations fills no table
KEPT_DAYS = 90  # refusals
PATH = ":path"  # by this name the inbox keeps which address a body came to; no real header can begin so


@dataclass
class _Told:
    """One call with what becomes of it on the way."""

    call: Call
    item: RawInput
    typed: Typed
    profile: int = 0
    customer: int = 0


@dataclass
class _Batch:
    """The calls of several inputs of one key, and what is to be shown of those that are not taken as they came."""

    speaker: Speaker
    key_id: int
    told: list[_Told] = field(default_factory=list)
    refusals: Counter[tuple[date, str, str, str, str, bool]] = field(default_factory=Counter)
    newest: RawInput | None = None

    def refuse(
        self, item: RawInput, call: str, reason: Reason, event: str = "", fields: str = "", is_recorded: bool = False
    ) -> None:
        day = item.received_at.astimezone(UTC).date()
        self.refusals[day, call, event, reason.value, fields[:500], is_recorded] += 1
        self.newest = item


def read(inputs: Sequence[RawInput], at: datetime) -> list[Outcome]:
    """The parser of the inbox for the kind 'tracking'. Events: tracked.*, and those of the people, carts and orders that it speaks of."""
    key = TrackingKey.objects.select_related("store").get(pk=int(inputs[0].source.partition(":")[2]))
    batch = _Batch(Speaker(key.store_id, key.store.code, key.is_server), key.pk)
    problems = {item.id: problem for item in inputs if (problem := _collect(item, batch))}
    with event_log.transaction("tracking", str(key.pk)) as log:
        fresh = _claim(batch.told, key.source, log)
        _name_people(batch, fresh, log)
        _append(fresh, batch, log)
        for mark in shopping.apply([(t.call, t.typed, t.profile) for t in fresh], batch.speaker, key.store, log, at):
            batch.refuse(_item_of(mark.call, fresh), "track", mark.reason, _name_in_spec(mark.call), is_recorded=True)
        _write_refusals(batch, key.pk)
    people: dict[int, set[int]] = {}
    for one in batch.told:
        people.setdefault(one.item.id, set()).add(one.profile)
    return [Outcome(frozenset(people.get(item.id, ())), problems.get(item.id, "")) for item in inputs]


def _collect(item: RawInput, batch: _Batch) -> str:
    """Adds the calls of one input to the batch; why it cannot be read at all, where that is so."""
    path = item.headers.get(PATH, "batch")
    try:
        payload = parse(item.body, item.headers.get("content-encoding", ""), path)
    except BadBody as error:
        return str(error)
    for one in read_calls(payload, path, item.received_at, item.key.hex()):
        if isinstance(one, Rejected):
            batch.refuse(item, one.kind, one.reason)
        elif one.kind == "alias" and not batch.speaker.is_server:
            batch.refuse(item, "alias", Reason.UNTRUSTED_ALIAS)
        else:
            told = _Told(one, item, events.typed(one))
            batch.told.append(told)
    return ""


def _claim(told: Sequence[_Told], source: str, log: LogTransaction) -> list[_Told]:
    """Those that nobody recorded before; of several with one id the first."""
    first = {event_key(source, one.call.message_id): one for one in reversed(told)}
    new = log.claim(first)
    return [one for one in told if (key := event_key(source, one.call.message_id)) in new and first[key] is one]


def _name_people(batch: _Batch, fresh: Sequence[_Told], log: LogTransaction) -> None:
    """Everybody's profile by name, then what is said of them. What a browser says of a customer whom we know is not believed."""
    names = {id(one): naming_identity(one.call, batch.speaker) for one in batch.told}
    people = {names[id(one)]: who(one.call, batch.speaker) for one in reversed(batch.told)}
    late = {names[id(one)] for one in batch.told if one.call.is_late}
    profiles: dict[IdentityInput, int] = {}
    for is_late in (False, True):
        group = {name: person for name, person in people.items() if (name in late) == is_late}
        profiles |= zip(group, ensure_profiles(list(group.values()), log, is_history=is_late), strict=True)
    owners = customers_of(profiles.values())
    for one in batch.told:
        one.profile = profiles[names[id(one)]]
        one.customer = owners[one.profile]
    if _take_in(fresh, batch, log):
        owners = customers_of(profiles.values())
        for one in batch.told:
            one.customer = owners[one.profile]


def _take_in(fresh: Sequence[_Told], batch: _Batch, log: LogTransaction) -> bool:
    """What the calls say of people beyond their names; the same said twice is taken in once. Whether anything was said."""
    said: dict[tuple[object, ...], tuple[_Told, PersonInput]] = {}
    for one in fresh:
        person = what_is_said(one.call, batch.speaker)
        if person is not None:
            said.setdefault((person.identities, person.contact, one.call.is_late), (one, person))
    known: set[int] = set()
    if said and not batch.speaker.is_server:
        known = confirmed_among({one.profile for one, _ in said.values()})
    for is_late in (False, True):
        group = [p for one, p in said.values() if one.call.is_late == is_late and one.profile not in known]
        ensure_profiles(group, log, is_history=is_late)
    return bool(said)


def _append(fresh: Sequence[_Told], batch: _Batch, log: LogTransaction) -> None:
    plain = keys.find_keys(one.profile for one in fresh)
    trust = "confirmed" if batch.speaker.is_server else "claimed"
    for one in fresh:
        key = plain[one.profile]
        log.append(
            events.of_call(one.call, one.typed, one.profile, one.customer, key, trust=trust, key_id=batch.key_id)
        )


def _item_of(call: Call, told: Iterable[_Told]) -> RawInput:
    return next(one.item for one in told if one.call is call)


def _name_in_spec(call: Call) -> str:
    spec = find_spec(call.name) if call.kind == "track" else None
    return spec.name if spec else ""


_COUNT = """
INSERT INTO tracking_refusal (key_id, day, call, event, reason, fields, is_recorded, count, newest_item, newest_at)
SELECT %(key)s, s.*, %(item)s, %(at)s
FROM unnest(%(days)s::date[], %(calls)s::text[], %(events)s::text[], %(reasons)s::text[], %(fields)s::text[],
    %(recorded)s::boolean[], %(counts)s::bigint[]) AS s
ON CONFLICT (key_id, day, call, event, reason, fields) DO UPDATE
SET count = tracking_refusal.count + excluded.count, newest_item = excluded.newest_item, newest_at = excluded.newest_at
"""


def _write_refusals(batch: _Batch, key_id: int) -> None:
    for one in batch.told:
        if one.typed.invalid:
            fields = ", ".join(one.typed.invalid[:MOST_NAMED]) + (" …" if len(one.typed.invalid) > MOST_NAMED else "")
            batch.refuse(one.item, one.call.kind, Reason.WRONG_TYPES, _name_in_spec(one.call), fields, is_recorded=True)
        if one.call.has_wrong_time:
            batch.refuse(one.item, one.call.kind, Reason.WRONG_TIME, is_recorded=True)
    if batch.newest is None:
        return
    rows = sorted(batch.refusals.items())
    names = ("days", "calls", "events", "reasons", "fields", "recorded")
    columns = {name: [row[place] for row, _ in rows] for place, name in enumerate(names)}
    bound = {"key": key_id, "item": batch.newest.id, "at": batch.newest.received_at, "counts": [n for _, n in rows]}
    execute(_COUNT, columns | bound)


def forget_old_refusals(at: datetime) -> int:
    """Deletes the counts of days long ago; how many."""
    return Refusal.objects.filter(day__lt=(at - timedelta(days=KEPT_DAYS)).date()).delete()[0]
