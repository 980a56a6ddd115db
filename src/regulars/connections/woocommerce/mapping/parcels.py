"""Parcels: by WooCommerce's own order fulfillments, or as a tracking plugin noted them with the order.

Fulfillments are not told with their order: the order notes only how far they are, and they must be asked for.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from regulars.connections.woocommerce.mapping.values import Json, find_moment, meta, moment, parts, text, whole
from regulars.record.orders.inputs import FulfilmentInput
from regulars.record.orders.models import FulfilmentStatus

STATUS = "_fulfillment_status"  # of an order that has fulfillments
PARCELS = ":parcels"  # of an order whose fulfillments were asked for; no field of a shop begins so
_TRACKING = "_wc_shipment_tracking_items"  # of the plugins 'Shipment Tracking' and 'Advanced Shipment Tracking'


def has_parcels(order: Json) -> bool:
    """Whether the shop keeps fulfillments of it; of an order of any shape."""
    rows = order.get("meta_data")
    return isinstance(rows, list) and any(isinstance(one, dict) and one.get("key") == STATUS for one in rows)


def tells_parcels(order: Json) -> bool:
    """A webhook tells none of those that the shop keeps."""
    return PARCELS in order or not has_parcels(order)


def parcels_of(order: Json, status: FulfilmentStatus) -> Iterator[FulfilmentInput]:
    """Without any, that the order was completed."""
    completed = find_moment(order, "date_completed")
    told = [*_own(order), *_of_plugins(order, completed or moment(order, "date_created"))]
    yield from told
    if not told and completed and status == FulfilmentStatus.FULFILLED:
        yield FulfilmentInput("success", completed)


def _own(order: Json) -> Iterator[FulfilmentInput]:
    """Those that left the house; others are drafts."""
    for one in parts(order.get(PARCELS)):
        if one.get("is_fulfilled") is True and not one.get("date_deleted"):
            carrier, number = text(meta(one, "_shipment_provider"), 60), text(meta(one, "_tracking_number"), 120)
            yield FulfilmentInput("success", _left(one), carrier, number, text(meta(one, "_tracking_url"), 500))


def _left(parcel: Json) -> datetime:
    """When it left, which stays when it is changed later."""
    at = datetime.fromisoformat(text(meta(parcel, "_date_fulfilled")) or text(parcel["date_updated"]))
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _of_plugins(order: Json, otherwise: datetime) -> Iterator[FulfilmentInput]:
    noted = meta(order, _TRACKING)
    for one in noted if isinstance(noted, list) else ():
        if isinstance(one, dict) and one.get("tracking_number"):
            carrier = text(one.get("tracking_provider"), 60) or text(one.get("custom_tracking_provider"), 60)
            link = text(one.get("custom_tracking_link"), 500)
            sent = _day(one.get("date_shipped")) or otherwise
            yield FulfilmentInput("success", sent, carrier, text(one["tracking_number"], 120), link)


def _day(said: Any) -> datetime | None:
    """Seconds since 1970, as the plugins keep the day."""
    return datetime.fromtimestamp(whole(said), UTC) if isinstance(said, str | int) and str(said).isdecimal() else None
