"""Clears up after a process that died between 'sending' and its result, and lets go of what is held back no longer."""

from datetime import datetime

from django.db import connection
from django.db.models import DateTimeField, Func, QuerySet

from regulars.messages import events
from regulars.messages.models import Message, MessageState
from regulars.messages.rules import WORKFLOW_OFF
from regulars.messages.sending.switch import read_switch
from regulars.record.events import log as event_log

_DOUBT = "The process that was sending it ended in between: nobody can tell whether it arrived, so it is not sent again"
_AGAIN = "The process that was sending it ended in between: it is sent again under the same Message-ID"


class _DatabaseClock(Func):
    function = "clock_timestamp"
    output_field = DateTimeField()


def settle_abandoned(at: datetime) -> int:
    """Messages that were being sent when their worker died: marketing becomes 'unknown' for good, what belongs to an order goes again.

    Event: message.unknown. Returns how many.
    """
    if not _abandoned().exists():
        return 0
    with event_log.transaction("system", "messages") as log:
        rows = list(
            _abandoned()
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("template")
            .order_by("id")[:500]
        )
        again = [m.id for m in rows if not m.is_marketing]
        doubtful = [m for m in rows if m.is_marketing]
        fresh = {"lease_owner": "", "lease_until": None, "batch_id": log.batch_id}
        Message.objects.filter(id__in=again).update(state=MessageState.PLANNED, sentence=_AGAIN, due_at=at, **fresh)
        Message.objects.filter(id__in=[m.id for m in doubtful]).update(
            state=MessageState.UNKNOWN, reason="crash", sentence=_DOUBT, **fresh
        )
        for m in doubtful:
            log.append(
                events.message_decided("unknown", m.id, m.customer_id, m.profile_id, m.template.key, "crash", at)
            )
    return len(rows)


def _abandoned() -> QuerySet[Message]:
    """Leases run by the database's clock, whatever time it is for the messages themselves."""
    return Message.objects.filter(state=MessageState.SENDING, lease_until__lt=_DatabaseClock())


_RELEASE = """
UPDATE outbox_message m SET state = 'planned', due_at = %(at)s
WHERE m.state = 'held' AND CASE WHEN m.reason <> %(off)s THEN %(may_send)s ELSE m.expires_at <= %(at)s OR EXISTS (
    SELECT 1 FROM workflows_run r JOIN workflows_workflow w ON w.id = r.workflow_id WHERE r.id = m.run_id AND w.is_on
) END
"""


def release_held(at: datetime) -> int:
    """What was held for a reason that is gone is planned again; what is of no use any more is told so when its turn comes.

    Gone is: sending is allowed; the workflow is on again.
    """
    if not Message.objects.filter(state=MessageState.HELD).exists():
        return 0
    may_send = read_switch().refusal(at) is None
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, {"at": at, "off": WORKFLOW_OFF, "may_send": may_send})
        return int(cursor.rowcount)
