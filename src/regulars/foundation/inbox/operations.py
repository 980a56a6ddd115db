"""What staff do with the inbox, and how it forgets."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import System, record
from regulars.foundation.deduplication import forget_old_keys
from regulars.foundation.inbox.keys import forget_days_before
from regulars.foundation.inbox.models import ForgottenWord, Frame, Item, ItemState
from regulars.foundation.inbox.parsers import PARSERS
from regulars.foundation.inbox.partitions import DAYS, FRAME_DAYS
from regulars.foundation.inbox.queries import get_item, oldest_waiting, open_item
from regulars.foundation.shop.settings import read_setting
from regulars.foundation.work.loops import Stop

By = Viewer | System


def read_body(number: int, by: Viewer, at: datetime) -> tuple[Item, dict[str, str], bytes]:
    """One item, opened for a member of staff: it may hold anybody's data, so it is audited. Raises NotFound, NotAllowed, CannotOpen."""
    by.require("inbox.read")
    item = get_item(number, by)
    headers, body = open_item(item)
    record("inbox.read", by, f"input:{item.pk}", at=at)
    return item, headers, body


def replay(numbers: Sequence[int], by: By, at: datetime) -> int:
    """Has these items read again, in their order of arrival; how many. What they had done already is not done twice. Raises NotAllowed.

    Items that wait already, or whose body was forgotten, stay as they are.
    """
    rows = Item.objects.filter(pk__in=numbers, body__isnull=False).exclude(state=ItemState.RECEIVED)
    if isinstance(by, Viewer):
        by.require("inbox.replay")
        rows = rows.filter(store_id__in=by.store_ids) if by.store_ids is not None else rows
    with transaction.atomic():
        count = rows.update(state=ItemState.RECEIVED, attempts=0, reason="", read_at=None)
        if count:
            record("inbox.replayed", by, "", {"inputs": count}, at=at)
    return count


def forget_bodies(numbers: Collection[int]) -> int:
    """Drops bodies and headers for good, of whoever they speak; how many. Those in quarantine can never be read again."""
    if not numbers:
        return 0
    rows = Item.objects.filter(pk__in=numbers, body__isnull=False).exclude(state=ItemState.RECEIVED)
    return rows.update(body=None, headers=b"", people=[])


def forget_words(tokens: Collection[bytes], at: datetime) -> None:
    """What came in until now and names one of these is not to be read: whose identifiers they were is erased. Keyed hashes."""
    rows = [ForgottenWord(token=token, forgotten_at=at) for token in sorted(set(tokens))]
    ForgottenWord.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["token"], update_fields=["forgotten_at"]
    )


def keep_up(stop: Stop, at: datetime) -> bool:
    """Makes days ahead, drops those beyond the retention with their keys, forgets old keys. True while there is more to forget.

    Where no worker ran for longer than that, days stay until what waits in them was read: somebody was thanked for it.
    """
    beyond = at - timedelta(days=read_setting("inbox.retention_days"))
    unread = min(beyond, oldest_waiting(list(PARSERS)) or beyond)
    for days, rows, oldest in ((DAYS, Item.objects.all(), unread), (FRAME_DAYS, Frame.objects.all(), beyond)):
        days.ensure(at)
        days.drop_before(oldest)
        rows.filter(received_at__lt=days.period.begin(oldest)).delete()  # those that the default partition caught
    forget_days_before(unread)
    ForgottenWord.objects.filter(forgotten_at__lt=unread).delete()  # nothing that came before them is left
    return forget_old_keys("inbox_inputkey", at) > 0
