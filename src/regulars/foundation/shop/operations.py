"""What can be done to the shop: a store, with the brand under whose name it writes."""

from datetime import datetime
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email, validate_slug
from django.db import transaction

from regulars.foundation.audit.operations import Actor, record
from regulars.foundation.errors import Conflict, InvalidInput
from regulars.foundation.money import parse_currency
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.shop.settings import write_setting


class StoreExists(Conflict):
    """There is a store with this code already: choose another."""

    code = "store-exists"


def create_store(
    code: str, name: str, email: str, currency: str, time_zone: str, by: Actor, at: datetime, *, brand: str = ""
) -> Store:
    """A store, and its brand (named as the store where none is given) unless there is one of this name. The first store also gives
    the shop its name, reporting currency and time zone. Raises InvalidInput, UnknownCurrency, StoreExists. Audited.
    """
    title, sender = name.strip(), brand.strip() or name.strip()
    _check(code, title, sender, email, time_zone)
    unit = parse_currency(currency)
    with transaction.atomic():
        is_first = not Store.objects.exists()
        owner, _ = Brand.objects.get_or_create(name=sender, defaults={"from_name": sender, "from_address": email})
        store, is_new = Store.objects.get_or_create(
            code=code, defaults={"name": title, "brand": owner, "time_zone": time_zone, "currency": unit}
        )
        if not is_new:
            raise StoreExists
        if is_first:
            for setting, value in (("name", title), ("time_zone", time_zone), ("reporting_currency", unit)):
                write_setting(f"shop.{setting}", value, at)
        record("store.created", by, "", {"store": store.pk}, at=at)
    return store


def _check(code: str, name: str, brand: str, email: str, time_zone: str) -> None:
    try:
        validate_slug(code)
        validate_email(email)
    except ValidationError as error:
        raise InvalidInput(
            f"'{code[:40]}' with '{email[:80]}' will not do: a code has letters, digits and hyphens, and the sender a mail address."
        ) from error
    if not name or len(code) > 50 or len(email) > 254 or max(len(name), len(brand)) > 120:
        raise InvalidInput(
            "A store needs a name, it and the brand's of at most 120 letters, a code of at most 50 and an address of at most 254."
        )
    if time_zone not in available_timezones():
        raise InvalidInput(f"'{time_zone[:40]}' is not a time zone: write it as Europe/London.")
