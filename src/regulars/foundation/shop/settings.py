"""The settings that staff change in the browser: one typed table, read and written here only."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import JSONField, Value

from regulars.foundation.bulk import fetch
from regulars.foundation.errors import InvalidInput
from regulars.foundation.shop.models import Setting


@dataclass(frozen=True)
class Known:
    """A setting: what it means, what it is until somebody changes it, and what it may be (empty: anything of that
    type).
    """

    meaning: str
    default: Any
    choices: tuple[Any, ...] = ()


KNOWN: dict[str, Known] = {
    "shop.name": Known("Name of the shop, as staff and shoppers see it", "My shop"),
    "shop.time_zone": Known("Zone in which days begin and messages are scheduled", "UTC"),
    "shop.reporting_currency": Known("Currency in which sums over several currencies are shown", "GBP"),
    "rfm.scale": Known("How many scores each of recency, frequency and monetary has", 5, (3, 4, 5)),
    "log.retention_days": Known("How many days the log of events is kept; 0: for ever", 0),
    "inbox.retention_days": Known("How many days what came in from outside is kept as it came; at least 1", 30),
    "inbox.most_waiting": Known(
        "Inputs of one public source that may wait to be read; beyond, it is asked to send later (429)", 250_000
    ),
    "customers.most_profiles": Known(
        "Records of one store that one person may have; a merge beyond waits for review, an address of more joins nobody",
        10,
    ),
    "customers.no_identifiers": Known(
        "Mail addresses and phone numbers that tell nobody apart, beside those of staff", []
    ),
    "carts.silence_minutes": Known("Minutes without a touch after which a cart counts as abandoned", 30),
    "segments.daily_cap": Known(
        "Customers who may enter one segment in a day because scores were published anew; the others enter on the next",
        10_000,
    ),
    "messages.per_day": Known(
        "Marketing messages that one person gets within a day, over all workflows; 0: no limit", 1
    ),
    "messages.per_week": Known(
        "Marketing messages that one person gets within a week, over all workflows; 0: no limit", 3
    ),
    "record.fold": Known("Edition of the cached cards and figures; an older one is made anew by 'regulars migrate'", 1),
    "sending.enabled_at": Known("When staff switched sending on; empty: off", None),
    "demo.shift_weeks": Known("By how many weeks the demo's dates are moved; fixed at its first import", None),
    "demo.done": Known("Which chapters of the demo's story have been told", []),
}


class UnknownSetting(InvalidInput):
    """There is no such setting."""


def read_setting(name: str) -> Any:
    """Present value, or the default. Raises UnknownSetting."""
    known = _known(name)
    rows = fetch("SELECT value FROM shop_setting WHERE name = %s", [name])
    return json.loads(rows[0][0]) if rows else known.default


def write_setting(name: str, value: Any, at: datetime) -> None:
    """Raises UnknownSetting, or InvalidInput for a value that is not one of the setting's choices."""
    known = _known(name)
    if known.choices and value not in known.choices:
        raise InvalidInput(f"{name} must be one of {', '.join(map(str, known.choices))}")
    kept = Value(None, JSONField()) if value is None else value  # else Django writes SQL's NULL
    Setting.objects.update_or_create(name=name, defaults={"value": kept, "changed_at": at})


def _known(name: str) -> Known:
    if name not in KNOWN:
        raise UnknownSetting(f"There is no setting '{name}'")
    return KNOWN[name]
