"""From what came in to the record: set-wise, in one transaction, each call once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from regulars.connections.tracking import events, interests, shopping
from regulars.connections.tracking.models import Refusal, TrackingKey
from regulars.connections.tracking.people import Name, Speaker, name_of, what_is_said, who
from regulars.connections.tracking.protocol import BadBody, Reason, Rejected, in_clear, parse_text, read_calls
from regulars.connections.tracking.told import Told
from regulars.foundation.bulk import execute
from regulars.foundation.inbox.parsers import Outcome, RawInput
from regulars.foundation.inbox.queries import forgotten_since
from regulars.foundation.retrying import Overtaken
from regulars.foundation.sealing import Sealer
from regulars.foundation.vault import keys
from regulars.record.customers.identifiers import canonical, identity_token
from regulars.record.customers.inputs import PersonInput
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.queries import confirmed_among, customers_of
from regulars.record.events import log as event_log
from regulars.record.events.log import LogTransaction, event_key
from regulars.record.events.recorded import cell_of
from regulars.record.own_events.queries import declared_of

MOST_NAMED = 3  # fields of another type: whoever sends all their combinations fills no table
KEPT_DAYS = 90  # refusals
PATH = ":path"  # by this name the inbox keeps which address a body came to; no real header can begin so


_Refused = tuple[date, str, str, str, str, bool]  # day, call, event, reason, fields and whether it is recorded


@dataclass
class _Batch:
    """The calls of several inputs of one key, and what is to be shown of those that are not taken as they came."""

    speaker: Speaker
    key_id: int
    told: list[Told] = field(default_factory=list)
    refusals: Counter[_Refused] = field(default_factory=Counter)
    newest: dict[_Refused, RawInput] = field(default_factory=dict)  # input of each

    def refuse(
        self, item: RawInput, call: str, reason: Reason, event: str = "", fields: str = "", is_recorded: bool = False
    ) -> None:
        refused = item.received_at.astimezone(UTC).date(), call, event, reason.value, fields[:500], is_recorded
        self.refusals[refused] += 1
        self.newest[refused] = max(self.newest.get(refused, item), item, key=lambda one: one.id)


def read(inputs: Sequence[RawInput], at: datetime) -> list[Outcome]:
    """The parser of the inbox for the kind 'tracking'. Events: tracked.*, and those of the people, carts and orders that it speaks of."""
    key = TrackingKey.objects.select_related("store").get(pk=int(inputs[0].source.partition(":")[2]))
    batch = _Batch(Speaker(key.store_id, key.store.code, key.is_server), key.pk)
    problems = {item.id: problem for item in inputs if (problem := _collect(item, batch))}
    since = min(item.received_at for item in inputs)
    with event_log.transaction("tracking", str(key.pk)) as log:
        forgotten = forgotten_since(since)
        dropped = _drop_erased(batch, forgotten) if forgotten else set()
        fresh = _claim(batch.told, log)
        _name_people(batch, fresh, log)
        _append(fresh, batch, log)
        for mark in shopping.apply(fresh, batch.speaker, key.store, log, at):
            batch.refuse(mark.told.item, "track", mark.reason, mark.told.name_in_spec, is_recorded=True)
        interests.apply(fresh, batch.speaker, key.store, log)
        _write_refusals(fresh, batch, key.pk)
        if forgotten_since(since) != forgotten:
            raise Overtaken  # somebody was erased whom we may have made anew meanwhile
    people: dict[int, set[int]] = {}
    for one in batch.told:
        people.setdefault(one.item.id, set()).add(one.profile)
    return [
        Outcome(frozenset(people.get(item.id, ())), problems.get(item.id, ""), item.id in dropped) for item in inputs
    ]


def _collect(item: RawInput, batch: _Batch) -> str:
    """Adds the calls of one input to the batch; why it cannot be read at all, where that is so."""
    path = item.headers.get(PATH, "batch")
    try:
        text = in_clear(item.body, item.headers.get("content-encoding", ""), path)
        payload = parse_text(text, path)
    except BadBody as error:
        return str(error)
    for one in read_calls(payload, path, item.received_at, item.key.hex(), text):
        if isinstance(one, Rejected):
            batch.refuse(item, one.kind, one.reason)
        elif one.kind == "alias" and not batch.speaker.is_server:
            batch.refuse(item, "alias", Reason.UNTRUSTED_ALIAS)
        else:
            spec = events.spec_of(one)
            name, key = name_of(one, batch.speaker), event_key(item.source, one.message_id)
            batch.told.append(Told(one, item, spec, events.typed(one, spec), name, key))
    return ""


def _drop_erased(batch: _Batch, forgotten: Mapping[bytes, datetime]) -> set[int]:
    """Leaves out the calls that came before somebody whom they name was erased; items that held one."""
    ring = keys.key_ring()

    def is_erased(one: Told) -> bool:
        said = what_is_said(one.call, batch.speaker) or who(one.call, batch.speaker)
        tokens = (identity_token(ring, known) for known in map(canonical, said.identities) if known)
        return any(one.item.received_at <= forgotten[token] for token in tokens if token in forgotten)

    erased = {id(one) for one in batch.told if is_erased(one)}
    dropped = {one.item.id for one in batch.told if id(one) in erased}
    batch.told = [one for one in batch.told if id(one) not in erased]
    return dropped


def _claim(told: Sequence[Told], log: LogTransaction) -> list[Told]:
    """Those that nobody recorded before; of several with one id the first."""
    first = {one.key: one for one in reversed(told)}
    new = log.claim(first)
    return [one for one in told if one.key in new and first[one.key] is one]


def _name_people(batch: _Batch, fresh: Sequence[Told], log: LogTransaction) -> None:
    """Everybody's profile by name, and what is said of them. What a browser says of a customer whom we know is not believed."""
    first = {one.name: one.call for one in reversed(batch.told)}
    late = {one.name for one in batch.told if one.call.is_late}
    said = _said(fresh, batch.speaker)
    profiles: dict[Name, int] = {}
    for is_late in (False, True):
        names = [name for name in first if (name in late) == is_late]
        people = [who(first[name], batch.speaker) for name in names]
        people += [person for one, person in said if batch.speaker.is_server and one.call.is_late == is_late]
        profiles |= zip(names, ensure_profiles(people, log, is_history=is_late), strict=False)
    for one in batch.told:
        one.profile = profiles[one.name]
    if said and not batch.speaker.is_server:
        _take_in_claims(said, log)
    owners = customers_of(profiles.values())
    for one in batch.told:
        one.customer = owners[one.profile]


def _said(fresh: Sequence[Told], speaker: Speaker) -> list[tuple[Told, PersonInput]]:
    """What the calls say of people beyond their names; the same said twice is taken in once."""
    said: dict[tuple[object, ...], tuple[Told, PersonInput]] = {}
    ids: set[tuple[object, ...]] = set()
    for one in fresh:
        call = one.call
        if not (call.user_id or call.traits):
            continue
        key = (one.name, call.user_id, call.anonymous_id, call.previous_id, call.is_late)
        if key in ids and not call.traits:
            continue
        ids.add(key)
        person = what_is_said(call, speaker)
        if person is not None:
            own = tuple(person.attributes.items())
            said.setdefault((person.identities, person.contact, own, call.is_late), (one, person))
    return list(said.values())


def _take_in_claims(said: Sequence[tuple[Told, PersonInput]], log: LogTransaction) -> None:
    known = confirmed_among({one.profile for one, _ in said})
    for is_late in (False, True):
        group = [p for one, p in said if one.call.is_late == is_late and one.profile not in known]
        ensure_profiles(group, log, is_history=is_late)


def _append(fresh: Sequence[Told], batch: _Batch, log: LogTransaction) -> None:
    people = {one.profile for one in fresh}
    plain = keys.find_keys(people)
    sealers = {profile: Sealer(plain[profile], cell_of(profile)) for profile in people}
    trust = "confirmed" if batch.speaker.is_server else "claimed"
    declared = declared_of(one.call.name for one in fresh if one.spec is None and one.call.kind == "track")
    for one in fresh:
        sealer = sealers[one.profile]
        log.append(
            events.of_call(
                one.call,
                one.spec,
                one.typed,
                one.profile,
                one.customer,
                sealer,
                declared,
                trust=trust,
                key_id=batch.key_id,
            )
        )


_COUNT = """
INSERT INTO tracking_refusal (key_id, day, call, event, reason, fields, is_recorded, count, newest_item, newest_at)
SELECT %(key)s, s.*
FROM unnest(%(days)s::date[], %(calls)s::text[], %(events)s::text[], %(reasons)s::text[], %(fields)s::text[],
    %(recorded)s::boolean[], %(counts)s::bigint[], %(items)s::bigint[], %(moments)s::timestamptz[]) AS s
ON CONFLICT (key_id, day, call, event, reason, fields) DO UPDATE
SET count = tracking_refusal.count + excluded.count, newest_item = excluded.newest_item, newest_at = excluded.newest_at
"""


def _write_refusals(fresh: Sequence[Told], batch: _Batch, key_id: int) -> None:
    for one in fresh:
        if one.typed.invalid:
            fields = ", ".join(one.typed.invalid[:MOST_NAMED]) + (" …" if len(one.typed.invalid) > MOST_NAMED else "")
            batch.refuse(one.item, one.call.kind, Reason.WRONG_TYPES, one.name_in_spec, fields, is_recorded=True)
        if one.call.has_wrong_time:
            batch.refuse(one.item, one.call.kind, Reason.WRONG_TIME, is_recorded=True)
    if not batch.refusals:
        return
    rows = sorted(batch.refusals)
    newest = [batch.newest[row] for row in rows]
    names = ("days", "calls", "events", "reasons", "fields", "recorded")
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    counted = {"counts": [batch.refusals[row] for row in rows], "items": [item.id for item in newest]}
    execute(_COUNT, columns | counted | {"key": key_id, "moments": [item.received_at for item in newest]})


def forget_old_refusals(at: datetime) -> int:
    """Deletes the counts of days long ago; how many."""
    return Refusal.objects.filter(day__lt=(at - timedelta(days=KEPT_DAYS)).date()).delete()[0]
