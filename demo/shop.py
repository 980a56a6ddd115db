"""The demo's shop itself: its store, its sender, its settings."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from demo.source import weeks_to
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.shop.settings import read_setting, write_setting

ZONE = ZoneInfo("Europe/London")
_NAME = "The Gift Cupboard"


def ensure_shop(at: datetime) -> Store:
    """The store, made at the first run together with its brand and settings."""
    brand, _ = Brand.objects.get_or_create(
        name=_NAME,
        defaults={
            "from_name": _NAME,
            "from_address": "hello@giftcupboard.example",
            "postal_address": "1 Made-up Lane, London (a demo, no such shop)",
            "website": "https://giftcupboard.example",
        },
    )
    store, is_new = Store.objects.get_or_create(
        code="giftcupboard", defaults={"name": _NAME, "brand": brand, "time_zone": ZONE.key, "currency": "GBP"}
    )
    if is_new:
        write_setting("shop.name", _NAME, at)
        write_setting("shop.time_zone", ZONE.key, at)
        write_setting("shop.reporting_currency", "GBP", at)
    return store


def shift_of(at: datetime) -> timedelta:
    """By how much the ledger is moved: decided at the first run, and the same ever after."""
    weeks = read_setting("demo.shift_weeks")
    if weeks is None:
        weeks = weeks_to(at.astimezone(ZONE).date())
        write_setting("demo.shift_weeks", weeks, at)
    return timedelta(weeks=int(weeks))
