"""What can be asked of coupons: lists for pages, one coupon, and the codes of workflows' runs."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import F, Q, QuerySet

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.errors import NotFound
from regulars.foundation.ids import from_public
from regulars.foundation.pages.lists import ListQuery
from regulars.foundation.pages.paging import Order as Sorting
from regulars.record.coupons.models import Coupon, CouponStatus, MakingState, WantedCode
from regulars.record.coupons.rules import EXPIRED, PENDING, USED_UP, name_of
from regulars.record.customers.queries import profiles_of

SORTS = {"created": Sorting("created_at"), "code": Sorting("name", descending=False), "used": Sorting("used")}


def coupons_matching(query: ListQuery, viewer: Viewer, at: datetime) -> QuerySet[Coupon]:
    """Coupons that fit the filters of the list page and that the viewer may see. Words match by the code's beginning."""
    rows = Coupon.objects.select_related("store")
    if viewer.store_ids is not None:
        rows = rows.filter(store__in=viewer.store_ids)
    if query.text:
        rows = rows.filter(name__startswith=name_of(query.text))
    if chosen := query.choices.get("store"):
        rows = rows.filter(store__code__in=chosen)
    if chosen := query.choices.get("kind"):
        rows = rows.filter(kind__in=chosen)
    if chosen := query.choices.get("state"):
        wanted = Q(pk__in=[])
        for state in chosen:
            wanted |= _standing(state, at)
        rows = rows.filter(wanted)
    if whose := query.one("whose"):
        rows = rows.filter(profile__isnull=whose == "anybody")
    if query.one("customer"):
        customer = query.row_id("customer")
        rows = rows.filter(profile__in=profiles_of([customer]).get(customer, []))
    if query.one("workflow"):
        rows = rows.filter(wantedcode__workflow_id=query.row_id("workflow"))
    return rows


def _standing(state: str, at: datetime) -> Q:
    """``rules.standing`` as a filter."""
    is_over, is_used_up = Q(expires_at__lte=at), Q(usage_limit__isnull=False, used__gte=F("usage_limit"))
    is_early = Q(starts_at__gt=at)
    active = Q(status=CouponStatus.ACTIVE)
    return {
        CouponStatus.ACTIVE: active & ~is_over & ~is_used_up & ~is_early,
        EXPIRED: active & is_over,
        USED_UP: active & ~is_over & is_used_up,
        PENDING: active & ~is_over & ~is_used_up & is_early,
    }.get(state, Q(status=state))


def get_coupon(public_id: str, viewer: Viewer) -> Coupon:
    """Raises NotFound, also for a coupon of a store that the viewer does not see."""
    coupon = Coupon.objects.filter(uid=from_public(Coupon.PREFIX, public_id)).select_related("store", "profile").first()
    if coupon is None or not viewer.sees_store(coupon.store_id):
        raise NotFound(f"There is no coupon {public_id}")
    return coupon


def find_coupons(text: str, viewer: Viewer, limit: int) -> list[Coupon]:
    """Coupons whose code begins so."""
    rows = Coupon.objects.filter(name__startswith=name_of(text))
    rows = rows if viewer.store_ids is None else rows.filter(store__in=viewer.store_ids)
    return list(rows.order_by("name", "pk")[:limit])


def code_of(coupon_id: int) -> str:
    """The code of a coupon, '' where there is none."""
    return Coupon.objects.filter(pk=coupon_id).values_list("code", flat=True).first() or ""


def find_by_codes(store_id: int, codes: Collection[str]) -> dict[str, Coupon]:
    """Coupons of a store by code, as it is compared (``rules.name_of``)."""
    rows = Coupon.objects.filter(store=store_id, name__in=[name_of(code) for code in codes])
    return {coupon.name: coupon for coupon in rows}


def codes_of_runs(run_ids: Iterable[int]) -> dict[int, WantedCode]:
    """The newest code that each run of a workflow made and its shop has taken."""
    rows = WantedCode.objects.filter(run_id__in=set(run_ids), state=MakingState.MADE).order_by("pk")
    return {row.run_id: row for row in rows}
