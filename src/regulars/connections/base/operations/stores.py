"""Which store a connected shop is: one that is there, or a new one that gets its name and money from the shop."""

import re
from datetime import datetime

from django.db import transaction

from regulars.connections.base.operations.connecting import shop_address
from regulars.connections.base.platforms import Shop
from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import record
from regulars.foundation.errors import InvalidInput
from regulars.foundation.money import parse_currency
from regulars.foundation.shop.models import Store
from regulars.foundation.shop.operations import create_store
from regulars.foundation.shop.settings import read_setting

NEW = "new"


def choose_store(code: str, address: str, viewer: Viewer, at: datetime) -> Store:
    """The store of this code, or a new one for the shop at this address. Raises InvalidInput, BadAddress."""
    if code != NEW:
        store = Store.objects.select_related("brand").filter(code=code).first()
        if store is None or not viewer.sees_store(store.pk):
            raise InvalidInput("Choose one of your stores.")
        return store
    if viewer.store_ids is not None:
        raise InvalidInput("Only members of staff who see all stores may add one.")
    host = shop_address(address).partition("://")[2].partition("/")[0].partition(":")[0]
    slug = re.sub(r"[^a-z0-9]+", "-", host).strip("-")[:50]
    there = Store.objects.select_related("brand").filter(code=slug).first()
    if there:
        return there
    email = StaffMember.objects.values_list("email", flat=True).get(pk=viewer.staff_id or 0)
    currency = str(read_setting("shop.reporting_currency") or "EUR")
    return create_store(slug, host, email, currency, str(read_setting("shop.time_zone")), viewer, at)


def name_store(store_id: int, shop: Shop, viewer: Viewer, at: datetime) -> None:
    """Gives a store that was made for a shop the shop's own name, currency and time zone; one that has another name keeps them."""
    with transaction.atomic():
        store = Store.objects.select_for_update().get(pk=store_id)
        if re.sub(r"[^a-z0-9]+", "-", store.name) != store.code:
            return
        store.name, store.currency = shop.name[:120] or store.name, parse_currency(shop.currency)
        store.time_zone = shop.time_zone or store.time_zone
        store.save(update_fields=["name", "currency", "time_zone"])
        record("store.named", viewer, "", {"store": store.pk}, at=at)
