"""What was sent to a person: that it was, and under which template, stays; with what words goes."""

from datetime import datetime

from django.db.models import Q

from regulars.foundation.privacy import SubjectData, register
from regulars.foundation.subjects import exported
from regulars.messages.models import Message, MessageState
from regulars.record.customers.queries import customers_of

REASON = "erased"


def _messages(profile_ids: list[int]) -> Q:
    return Q(profile__in=profile_ids) | Q(customer__in=set(customers_of(profile_ids).values()))


def _erase(profile_ids: list[int], at: datetime) -> int:
    """What has not left does not leave, and what was said can be read no more.

    The keyed hash of the address stays: an unsubscribe link still works.
    """
    of_person = Message.objects.filter(_messages(profile_ids))
    of_person.filter(state__in=[MessageState.PLANNED, MessageState.HELD]).update(
        state=MessageState.SKIPPED, reason=REASON, sentence="The person was erased."
    )
    of_person.filter(context__isnull=False).update(context=b"")
    return of_person.update(reply="")


register(
    SubjectData(
        "outbox_message",
        lambda ids: exported(Message.objects.filter(_messages(ids)).order_by("pk")),
        _erase,
        "that a number was written to, when, and with which template",
    )
)
