"""Which store a connected shop is: one that is there, or a new one that gets its name and money from the shop."""

import re
from contextlib import suppress
from datetime import datetime

from django.db import transaction
from django.db.models import ProtectedError, RestrictedError

from regulars.connections.base.models import Connection, ConnectionState
from regulars.connections.base.operations.connecting import shop_address
from regulars.connections.base.platforms import Shop
from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import record
from regulars.foundation.errors import InvalidInput
from regulars.foundation.money import parse_currency
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.shop.operations import create_store
from regulars.foundation.shop.settings import read_setting

NEW = "new"
_LONGEST_CODE, _LONGEST_NAME = 50, 120


def choose_store(code: str, address: str, viewer: Viewer, at: datetime) -> Store:
    """The store of this code, or a new one for the shop at this address. Raises InvalidInput, BadAddress."""
    if code != NEW:
        store = Store.objects.select_related("brand").filter(code=code).first()
        if store is None or not viewer.sees_store(store.pk):
            raise InvalidInput("Choose one of your stores.")
        return store
    if viewer.store_ids is not None:
        raise InvalidInput("Only members of staff who see all stores may add one.")
    place = shop_address(address).partition("://")[2]  # with its path: several shops may stand on one host
    slug = _slug(place)
    there = Store.objects.select_related("brand").filter(code=slug).first()
    if there:
        return there
    email = StaffMember.objects.values_list("email", flat=True).get(pk=viewer.staff_id or 0)
    currency = str(read_setting("shop.reporting_currency") or "EUR")
    return create_store(slug, place[:_LONGEST_NAME], email, currency, str(read_setting("shop.time_zone")), viewer, at)


def name_store(store_id: int, shop: Shop, viewer: Viewer, at: datetime) -> None:
    """Gives a store that was made for a shop the shop's own name, currency and time zone, and its brand that name too; one that has
    another name keeps them."""
    with transaction.atomic():
        store = Store.objects.select_for_update().select_related("brand").get(pk=store_id)
        if not _is_unnamed(store):
            return
        _name_brand(store.brand, store.name, shop.name[:120])
        store.name, store.currency = shop.name[:120] or store.name, parse_currency(shop.currency)
        store.time_zone = shop.time_zone or store.time_zone
        store.save(update_fields=["name", "currency", "time_zone"])
        record("store.named", viewer, "", {"store": store.pk}, at=at)


def _name_brand(brand: Brand, before: str, name: str) -> None:
    """The one that was made with the store, unless another has the name."""
    if name and brand.name == before and not Brand.objects.filter(name=name).exists():
        brand.name = brand.from_name = name
        brand.save(update_fields=["name", "from_name"])


def forget_beginning(row: Connection, viewer: Viewer, at: datetime) -> None:
    """A connection to which the shop never agreed goes without a trace but the audit's, and with it a store that was made for it and
    that nothing else hangs on. Raises NotAllowed."""
    viewer.require("connections.manage")
    with transaction.atomic():
        store = Store.objects.select_for_update().select_related("brand").get(pk=row.store_id)
        gone, _ = Connection.objects.filter(pk=row.pk, state=ConnectionState.NEW).delete()
        if gone:
            record("connection.forgotten", viewer, row.public_id, {"platform": row.platform}, at=at)
        if gone and _is_unnamed(store):
            _remove(store)


def _is_unnamed(store: Store) -> bool:
    """Whether it is still called as the address that it was made for."""
    return _slug(store.name) == store.code and "." in store.name


def _slug(place: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", place.lower()).strip("-")[:_LONGEST_CODE].rstrip("-")


def _remove(store: Store) -> None:
    for one in (store, store.brand):
        with suppress(ProtectedError, RestrictedError), transaction.atomic():
            one.delete()
