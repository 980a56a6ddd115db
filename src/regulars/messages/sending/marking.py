"""The transaction after which a message may be handed over: consent, suppression, switches and caps, then 'sending', committed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from regulars.foundation.crash import crash_point, declare
from regulars.foundation.sealing import Cell, seal
from regulars.foundation.vault import keys
from regulars.messages import events
from regulars.messages.channels.mail import Envelope
from regulars.messages.context import Prepared, to_bytes
from regulars.messages.models import Message, MessageState
from regulars.messages.rules import WEEK, Candidate, Decision, Fate, decide
from regulars.messages.sending.claiming import Lease
from regulars.messages.sending.switch import read_caps, read_switch
from regulars.record.consent.models import Channel
from regulars.record.consent.queries import Addressee, list_verdicts
from regulars.record.consent.rules import Verdict
from regulars.record.customers.identifiers import address_token
from regulars.record.events import log as event_log
from regulars.record.events.log import LogTransaction
from regulars.workflows.queries import lock_switched_off

MARKED = declare("messages.marked", "messages are marked as being sent and committed, none is handed over")
_CUSTOMER_LOCK = 0x4D53_4720  # 'MSG ': one lock for each customer, held until the commit
_STATES = {Fate.SKIP: MessageState.SKIPPED, Fate.HOLD: MessageState.HELD, Fate.DEFER: MessageState.PLANNED}


@dataclass(frozen=True)
class Ready:
    """A rendered message in its envelope; ``problem`` says why it could not be rendered."""

    prepared: Prepared
    envelope: Envelope | None
    digest: bytes
    problem: str = ""

    @property
    def message(self) -> Message:
        return self.prepared.message


def mark(ready: Sequence[Ready], lease: Lease, at: datetime) -> list[Ready]:
    """Decides each message and writes the decision with its reason. Returns those that are 'sending' now: only these may leave.

    Events: message.skipped, message.held, message.failed.
    """
    with event_log.transaction("system", "messages") as log:
        lock_customers({r.prepared.customer_id for r in ready})
        still_ours = _lock_messages(lease)
        mine = [r for r in ready if r.message.id in still_ours]
        decisions = _decide([r for r in mine if not r.problem], at)
        leaving = []
        for one in mine:
            if one.problem:
                _close(one.message, MessageState.FAILED, "cannot-render", one.problem, log, at)
            elif decisions[one.message.id].fate is Fate.SEND:
                leaving.append(one)
            else:
                _put_off(one.message, decisions[one.message.id], log, at)
        _write_sending(leaving, decisions, log, at)
    if leaving:
        crash_point(MARKED)
    return leaving


def lock_customers(customer_ids: set[int]) -> None:
    """Makes the caps and a withdrawal of consent wait for each other, in the order of the customers' numbers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, (id %% 2147483647)::int) FROM (SELECT unnest(%s::bigint[]) AS id ORDER BY 1) AS wanted",
            [_CUSTOMER_LOCK, sorted(customer_ids)],
        )


def _lock_messages(lease: Lease) -> set[int]:
    """Those that are still planned and under our fence."""
    rows = Message.objects.select_for_update().filter(id__in=lease.fences, state=MessageState.PLANNED).order_by("id")
    return {row_id for row_id, fence in rows.values_list("id", "fence") if lease.fences[row_id] == fence}


def _decide(ready: Sequence[Ready], at: datetime) -> dict[int, Decision]:
    switch, caps = read_switch(), read_caps()
    verdicts, recent = _verdicts(ready), _recent(ready, at)
    off = lock_switched_off({r.message.run_id for r in ready if r.message.run_id})
    decisions = {}
    for one in ready:
        message, address = one.message, one.prepared.card.email
        mine = recent[one.prepared.customer_id]
        candidate = Candidate(
            address,
            message.is_marketing,
            message.expires_at,
            verdicts[message.id],
            tuple(mine),
            off.get(message.run_id or 0, ""),
        )
        decisions[message.id] = decide(candidate, switch, caps, at)
        if decisions[message.id].fate is Fate.SEND and message.is_marketing:
            mine.append(at)
    return decisions


def _addressee(one: Ready) -> Addressee:
    return Addressee(address_token(keys.key_ring(), one.prepared.card.email), one.prepared.profile_ids)


def _verdicts(ready: Sequence[Ready]) -> dict[int, Verdict]:
    """What consent says, by message; one question for each brand, topic and kind."""
    groups: dict[tuple[int, str, bool], list[Ready]] = defaultdict(list)
    for one in ready:
        groups[one.message.brand_id, one.message.topic, one.message.is_marketing].append(one)
    found = {}
    for (brand, topic, is_marketing), group in groups.items():
        said = list_verdicts({_addressee(o) for o in group}, brand, Channel.EMAIL, topic, is_marketing=is_marketing)
        found.update({o.message.id: said[_addressee(o)] for o in group})
    return found


def _recent(ready: Sequence[Ready], at: datetime) -> dict[int, list[datetime]]:
    """When each customer got marketing messages in the last week; what may have arrived counts."""
    by_profile = {p: o.prepared.customer_id for o in ready for p in o.prepared.profile_ids}
    rows = Message.objects.filter(
        customer__in={o.prepared.customer_id for o in ready} | {o.message.customer_id for o in ready},
        state__in=[MessageState.SENDING, MessageState.SENT, MessageState.UNKNOWN],
        is_marketing=True,
        sending_at__gt=at - WEEK,
    ).values_list("customer_id", "profile_id", "sending_at")
    found: dict[int, list[datetime]] = defaultdict(list)
    for customer, profile, moment in rows:
        if moment is not None:
            found[by_profile.get(profile, customer)].append(moment)
    return found


def _put_off(message: Message, decision: Decision, log: LogTransaction, at: datetime) -> None:
    if decision.fate is not Fate.DEFER:
        _close(message, _STATES[decision.fate], decision.code, decision.sentence, log, at)
        return
    Message.objects.filter(id=message.id).update(
        due_at=decision.until, reason=decision.code, sentence=decision.sentence, lease_owner="", lease_until=None
    )


def _close(message: Message, state: MessageState, code: str, sentence: str, log: LogTransaction, at: datetime) -> None:
    Message.objects.filter(id=message.id).update(
        state=state, reason=code, sentence=sentence[:500], lease_owner="", lease_until=None, batch_id=log.batch_id
    )
    key = message.template.key
    log.append(events.message_decided(state, message.id, message.customer_id, message.profile_id, key, code, at))


_SENDING = """
UPDATE outbox_message m
SET state = 'sending', version_id = v.version, context = v.context, digest = v.digest, address = v.address, reason = v.reason,
    sentence = v.sentence, sending_at = %s, attempts = attempts + 1, batch_id = %s
FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[], %s::bytea[], %s::bytea[], %s::text[], %s::text[])
    AS v(id, version, context, digest, address, reason, sentence)
WHERE m.id = v.id
"""


def _write_sending(leaving: Sequence[Ready], decisions: dict[int, Decision], log: LogTransaction, at: datetime) -> None:
    if not leaving:
        return
    plain = keys.find_keys(o.message.profile_id for o in leaving)
    rows = []
    for one in leaving:
        message, decision = one.message, decisions[one.message.id]
        context = to_bytes(one.prepared.context)
        sealed = seal(plain[message.profile_id], context, Cell("outbox_message", "context", message.id))
        address = _addressee(one).address
        rows.append(
            (message.id, message.template.live_id, sealed, one.digest, address, decision.code, decision.sentence)
        )
    with connection.cursor() as cursor:
        cursor.execute(_SENDING, [at, log.batch_id, *(list(column) for column in zip(*rows, strict=True))])
