"""One customer with invented rows, asked a condition written as JSON."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from regulars.insight.conditions.evaluate import evaluate
from regulars.insight.conditions.measuring import Person
from regulars.insight.conditions.reading import read_condition
from regulars.insight.conditions.tests.catalog import INVENTED
from regulars.insight.conditions.windows import Clock
from regulars.insight.conditions.zones import Said

BERLIN, NEW_YORK, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("UTC")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLOCK = Clock(NOW, BERLIN, BERLIN)
Json = Mapping[str, Any]


def someone(zone: ZoneInfo = BERLIN, customer_id: int = 1, **rows: list[dict[str, Any]]) -> Person:
    """``rows`` by relation: what is said of each; the rest is null, and keys count up from 1."""
    filled = {
        name: [
            dict.fromkeys(INVENTED.shapes[INVENTED.relations[name].table].columns) | {"key": key} | row
            for key, row in enumerate(said, start=1)
        ]
        for name, said in rows.items()
    }
    return Person(customer_id, filled, (Said(datetime(1970, 1, 1, tzinfo=UTC), zone.key),))


def thing(at: datetime | None = NOW, **said: Any) -> dict[str, Any]:
    return {"at": at} | said


def is_in(condition: Json, person: Person, clock: Clock = CLOCK) -> bool:
    with INVENTED.offered():
        return evaluate(read_condition(condition), person, clock).is_in


def wakes_at(condition: Json, person: Person, clock: Clock = CLOCK) -> datetime | None:
    """Also sees that the verdict changes then, and not a microsecond earlier."""
    with INVENTED.offered():
        read = read_condition(condition)
        verdict = evaluate(read, person, clock)
        if verdict.wakes_at:
            then = evaluate(read, person, replace(clock, at=verdict.wakes_at))
            assert then.is_in != verdict.is_in
        return verdict.wakes_at
