"""Coupons: list, get."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.api.access import caller, needs
from regulars.foundation.api.fields import Short
from regulars.foundation.api.paging import Page, PageQuery, take
from regulars.foundation.api.problems import ERRORS
from regulars.foundation.api.stores import codes_of_stores, find_store
from regulars.foundation.ids import to_public
from regulars.record.coupons.models import Coupon
from regulars.record.coupons.queries import get_coupon
from regulars.record.coupons.rules import name_of

router = Router(tags=["coupons"])
ROUTERS = {"/coupons": router}


class CouponOut(Schema):
    """A coupon: ``amount`` is a percentage or money of ``currency`` in whole units, by ``kind``."""

    id: str
    store: str
    code: str
    kind: str
    amount: Decimal
    currency: str
    minimum: Decimal | None
    usage_limit: int | None
    used: int | None
    starts_at: datetime | None
    expires_at: datetime | None
    status: str
    external_id: str
    is_personal: bool
    description: str
    created_at: datetime


class CouponFilters(PageQuery):
    """Which coupons."""

    store: Short = ""
    code: Annotated[str, Field(max_length=120)] = ""
    status: Annotated[str, Field(pattern="^(active|disabled|deleted)?$")] = ""


@router.get("", auth=needs("coupons:read"), response={200: Page[CouponOut], **ERRORS}, summary="List coupons")
def list_coupons(request: HttpRequest, query: Query[CouponFilters]) -> Page[CouponOut]:
    viewer = caller(request)
    found, following = take(_filtered(_visible(viewer), query, viewer), query)
    codes = codes_of_stores()
    return Page[CouponOut](items=[_show(one, codes) for one in found], next=following)


@router.get("/{coupon_id}", auth=needs("coupons:read"), response={200: CouponOut, **ERRORS}, summary="Get a coupon")
def one_coupon(request: HttpRequest, coupon_id: str) -> CouponOut:
    return _show(get_coupon(coupon_id, caller(request)), codes_of_stores())


def _visible(viewer: Viewer) -> QuerySet[Coupon]:
    return Coupon.objects.all() if viewer.store_ids is None else Coupon.objects.filter(store__in=viewer.store_ids)


def _filtered(rows: QuerySet[Coupon], query: CouponFilters, viewer: Viewer) -> QuerySet[Coupon]:
    if query.store:
        rows = rows.filter(store=find_store(query.store, viewer))
    if query.code:
        rows = rows.filter(name=name_of(query.code))
    return rows.filter(status=query.status) if query.status else rows


def _show(coupon: Coupon, codes: dict[int, str]) -> CouponOut:
    return CouponOut(
        id=to_public(Coupon.PREFIX, coupon.uid),
        store=codes[coupon.store_id],
        code=coupon.code,
        kind=coupon.kind,
        amount=coupon.amount,
        currency=coupon.currency,
        minimum=coupon.minimum,
        usage_limit=coupon.usage_limit,
        used=coupon.used,
        starts_at=coupon.starts_at,
        expires_at=coupon.expires_at,
        status=coupon.status,
        external_id=coupon.external_id,
        is_personal=coupon.profile_id is not None,
        description=coupon.description,
        created_at=coupon.created_at,
    )
