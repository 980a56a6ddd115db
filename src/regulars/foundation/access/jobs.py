"""Upkeep of what guards the doors: what is only good for a while is forgotten."""

from datetime import datetime

from django.contrib.sessions.models import Session

from regulars.foundation.access.limits import forget_old_windows
from regulars.foundation.api.idempotency import forget_old_replies
from regulars.foundation.work.loops import LOOPS, Loop, Stop


def forget(stop: Stop, at: datetime) -> bool:
    """Windows of a day ago, replies older than a day, sessions that are over."""
    forget_old_windows(at)
    forget_old_replies(at)
    Session.objects.filter(expire_date__lt=at).delete()
    return False


LOOPS.register(
    "access.upkeep",
    Loop(forget, "Forgets old sessions, rate limits and kept replies of the API", idle_seconds=900, is_exclusive=True),
)
