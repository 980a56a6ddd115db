"""What is only good for a while is forgotten."""

from datetime import UTC, datetime, timedelta

import pytest

from regulars.foundation.access.jobs import forget
from regulars.foundation.access.limits import Limit, spend
from regulars.foundation.access.models import IdempotentReply, RateWindow
from regulars.foundation.audit.jobs import anchor
from regulars.foundation.audit.operations import SYSTEM, record
from regulars.foundation.audit.queries import anchor_path, list_anchors
from regulars.foundation.work.loops import Stop

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.mark.django_db
def test_old_windows_and_replies_go() -> None:
    for days in (0, 3):
        spend(Limit("x", 5, timedelta(minutes=1)), "a", AT - timedelta(days=days))
        IdempotentReply.objects.create(key=bytes([days]) * 16, request_hash=b"x", created_at=AT - timedelta(days=days))
    assert forget(Stop(), AT) is False
    assert (RateWindow.objects.count(), IdempotentReply.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_the_head_is_written_down_once() -> None:
    anchor_path().unlink(missing_ok=True)
    entry = record("test.done", SYSTEM, at=AT)
    anchor(Stop(), AT)
    anchor(Stop(), AT)
    assert [(a.sequence, a.mac) for a in list_anchors()] == [(entry.sequence, bytes(entry.mac).hex())]
    anchor_path().unlink()
