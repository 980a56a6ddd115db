"""Wait: let time pass, by the length or until a time of day in a zone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from regulars.foundation.facts import Answer, Question
from regulars.workflows.steps.kinds import STEPS, Go, Names, Outcome, Reason, Sleep, StepProblem, refuse_unknown

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=400)
_UNITS = ("weeks", "days", "hours", "minutes")


@dataclass(frozen=True)
class WaitStep:
    """``length`` after arrival, then on to ``at`` o'clock in ``zone`` if given; a time that a clock change skips is moved on by the gap."""

    length: timedelta
    at: time | None = None
    zone: str = "UTC"

    def due(self, since: datetime) -> datetime:
        earliest = since + self.length
        if self.at is None:
            return earliest
        zone = ZoneInfo(self.zone)
        local = earliest.astimezone(zone)
        today = local.replace(hour=self.at.hour, minute=self.at.minute, second=0, microsecond=0, fold=0).astimezone(UTC)
        if today >= earliest:
            return today
        tomorrow = datetime.combine(local.date() + timedelta(days=1), self.at, zone)
        return tomorrow.astimezone(UTC)

    def take(self, since: datetime, facts: Mapping[Question, Answer], now: datetime) -> Outcome:
        due = self.due(since)
        if now < due:
            return Sleep(due)
        return Go(
            "next",
            (
                Reason("waited since", since.isoformat(), "arrival at this step"),
                Reason("was due", due.isoformat(), "rule"),
            ),
        )

    def describe(self, names: Names) -> str:
        words = f"wait {_in_words(self.length)}"
        return words if self.at is None else f"{words}, then until {self.at:%H:%M} ({self.zone})"


@cache
def _zones() -> frozenset[str]:
    """All zone names; finding them walks a folder, so once."""
    return frozenset(available_timezones())


def _in_words(length: timedelta) -> str:
    minutes = int(length.total_seconds()) // 60
    parts = [(minutes // 1440, "day"), (minutes % 1440 // 60, "hour"), (minutes % 60, "minute")]
    return " ".join(f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count)


class WaitKind:
    """``{"kind": "wait", "for": {"days": 3}, "at": "10:00", "zone": "Europe/London", "next": ...}``"""

    name = "wait"
    label = "Wait"
    icon = "clock"
    edges = ("next",)
    waits = True

    def parse(self, settings: Mapping[str, Any]) -> WaitStep:
        refuse_unknown(settings, "for", "at", "zone")
        length = _parse_length(settings.get("for"))
        zone = settings.get("zone", "UTC")
        if zone not in _zones():
            raise StepProblem(f"'{zone}' is not a time zone such as Europe/London")
        return WaitStep(length, _parse_time(settings.get("at")), zone)


def _parse_length(value: Any) -> timedelta:
    if not isinstance(value, Mapping) or not value:
        raise StepProblem('needs a length such as "for": {"days": 3}')
    for unit, amount in value.items():
        if unit not in _UNITS:
            raise StepProblem(f"does not know the unit '{unit}': use {', '.join(_UNITS)}")
        if not isinstance(amount, int) or isinstance(amount, bool) or not 0 <= amount <= 600_000:
            raise StepProblem(f"needs a whole number of {unit}, not {amount!r}")
    length = timedelta(**value)
    if not SHORTEST <= length <= LONGEST:
        raise StepProblem("waits at least a minute and at most 400 days")
    return length


def _parse_time(value: Any) -> time | None:
    if value is None:
        return None
    try:
        return time.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise StepProblem(f"'{value}' is not a time of day such as 10:00") from error


STEPS.register("wait", WaitKind())
