"""What came of the hand-over. A result is written even when the lease was lost meanwhile: it is what truly happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from regulars.foundation.crash import crash_point, declare
from regulars.messages import events
from regulars.messages.channels.mail import Answer, Handed
from regulars.messages.models import Message, MessageState
from regulars.messages.rules import back_off
from regulars.messages.sending.claiming import MOST_ATTEMPTS, Lease
from regulars.record.events import log as event_log

RECORDED = declare("messages.recorded", "results are written, not committed")
DONE = declare("messages.done", "results are committed")
PATIENCE = 3

_SENTENCES = {
    MessageState.SENT: "The mail server took it",
    MessageState.FAILED: "The mail server refused it for good",
    MessageState.UNKNOWN: "The connection broke while it was handed over: nobody can tell whether it arrived, so it is not sent again",
    MessageState.PLANNED: "The mail server could not take it: it is tried again later",
}
_RECORD = """
UPDATE outbox_message m
SET state = v.state, reason = CASE WHEN v.state IN ('sent', 'planned') THEN m.reason ELSE v.reason END, sentence = v.sentence, reply = v.reply,
    sent_at = v.sent_at, due_at = coalesce(v.due_at, m.due_at), lease_owner = '', lease_until = NULL, batch_id = %s
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[])
    AS v(id, fence, state, reason, sentence, reply, sent_at, due_at)
WHERE m.id = v.id AND (m.state = 'sending' AND m.fence = v.fence OR m.state = 'unknown' AND v.state = 'sent') RETURNING m.id
"""


@dataclass(frozen=True)
class Result:
    """One message and what the mail server answered."""

    message: Message
    handed: Handed


def record(results: Sequence[Result], lease: Lease, at: datetime) -> int:
    """Writes the results of one batch. Events: message.sent, message.failed, message.unknown. Returns how many were sent."""
    if not results:
        return 0
    states = {r.message.id: state_after(r.handed.answer, r.message) for r in results}
    rows = [_row(r, states[r.message.id], lease, at) for r in sorted(results, key=lambda r: r.message.id)]
    with event_log.transaction("system", "messages") as log:
        with connection.cursor() as cursor:
            cursor.execute(_RECORD, [log.batch_id, *(list(column) for column in zip(*rows, strict=True))])
            written = {row[0] for row in cursor.fetchall()}
        for result in results:
            message, state = result.message, states[result.message.id]
            if message.id in written and state != MessageState.PLANNED:
                words = (message.template.key, result.handed.answer)
                log.append(
                    events.message_decided(state, message.id, message.customer_id, message.profile_id, *words, at)
                )
        crash_point(RECORDED)
    crash_point(DONE)
    return sum(1 for i in written if states[i] == MessageState.SENT)


def state_after(answer: Answer, message: Message) -> MessageState:
    """Marketing goes at most once, so a broken hand-over ends it; what belongs to an order goes again under the same Message-ID."""
    match answer:
        case Answer.TAKEN:
            return MessageState.SENT
        case Answer.REFUSED:
            return MessageState.FAILED
        case Answer.UNKNOWN if message.is_marketing:
            return MessageState.UNKNOWN
    return MessageState.PLANNED if message.attempts + 1 < MOST_ATTEMPTS else MessageState.FAILED


def _row(result: Result, state: MessageState, lease: Lease, at: datetime) -> tuple[object, ...]:
    message = result.message
    again = at + back_off(message.attempts + 1) if state == MessageState.PLANNED else None
    sent_at = at if state == MessageState.SENT else None
    fence, answer = lease.fences[message.id], result.handed
    return (message.id, fence, state.value, answer.answer.value, _SENTENCES[state], answer.words, sent_at, again)


def give_up_or_wait(message: Message, lease: Lease, problem: str, at: datetime) -> None:
    """A message that could not even be prepared: tried three times, then failed. Event: message.failed."""
    failed = message.attempts + 1 >= PATIENCE
    mine = Message.objects.filter(id=message.id, fence=lease.fences[message.id], state=MessageState.PLANNED)
    with event_log.transaction("system", "messages") as log:
        changed = mine.update(
            state=MessageState.FAILED if failed else MessageState.PLANNED,
            attempts=message.attempts + 1,
            due_at=at + back_off(message.attempts + 1),
            reason="cannot-prepare",
            sentence=f"It could not be prepared: {problem}",
            lease_owner="",
            lease_until=None,
            batch_id=log.batch_id,
        )
        if changed and failed:
            who = (message.id, message.customer_id, message.profile_id)
            log.append(events.message_decided("failed", *who, message.template.key, "cannot-prepare", at))
