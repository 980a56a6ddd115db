"""Days of the shop's zone as moments: ``from`` and ``to`` of a filter are both inclusive."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone


def day_begins(day: date) -> datetime:
    """First moment of a day in the active zone."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone())


def within_days(field: str, dates: Mapping[str, tuple[date | None, date | None]], name: str) -> Q:
    """Condition that a moment lies within the days of the filter ``name``, if it is set."""
    first, last = dates.get(name, (None, None))
    condition = Q()
    if first:
        condition &= Q(**{f"{field}__gte": day_begins(first)})
    if last:
        condition &= Q(**{f"{field}__lt": day_begins(last + timedelta(days=1))})
    return condition


def within_numbers(field: str, numbers: Mapping[str, tuple[Any, Any]], name: str, scale: int = 1) -> Q:
    """Condition that a number lies within the filter ``name``; ``scale`` turns major units of money into minor ones."""
    low, high = numbers.get(name, (None, None))
    condition = Q()
    if low is not None:
        condition &= Q(**{f"{field}__gte": low * scale})
    if high is not None:
        condition &= Q(**{f"{field}__lte": high * scale})
    return condition
