"""What can be asked of wishes, searches, reviews and tried coupons: those of one customer, over all that the viewer's stores know."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Q

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.ids import to_public
from regulars.foundation.sealing import unseal
from regulars.foundation.vault import keys
from regulars.record.catalog.models import Product, Variant
from regulars.record.coupons.models import Coupon
from regulars.record.customers.queries import profiles_of
from regulars.record.interest.models import CouponStep, Review, Search, TriedCoupon, WishlistItem
from regulars.record.interest.operations import cell_of

MOST = 100  # of each, newest first


@dataclass(frozen=True)
class Wish:
    """Something that is on a wishlist now, since ``added_at``. ``product`` is None for what the catalog does not know."""

    title: str
    sku: str
    product_key: str
    list_key: str
    unit_price: Decimal | None
    currency: str
    added_at: datetime
    store_id: int
    product: Product | None = None

    @property
    def href(self) -> str:
        return _href(self.product)


@dataclass(frozen=True)
class Searched:
    """Words that were searched for, as they were typed last."""

    words: str
    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Reviewed:
    """What was said of a product. ``body`` is '' where there is none."""

    key: str
    product_key: str
    rating: Decimal | None
    body: str
    is_claimed: bool
    written_at: datetime
    store_id: int
    product: Product | None = None

    @property
    def title(self) -> str:
        return (self.product.title if self.product else "") or self.product_key or self.key

    @property
    def href(self) -> str:
        return _href(self.product)


@dataclass(frozen=True)
class Tried:
    """A coupon code at the checkout: what became of it last, and when. ``coupon`` is None for a code that the shop does not know."""

    code: str
    step: CouponStep
    at: datetime
    discount: Decimal | None
    currency: str
    store_id: int
    coupon: Coupon | None = None

    @property
    def href(self) -> str:
        return f"/coupons/{to_public(Coupon.PREFIX, self.coupon.uid)}" if self.coupon else ""

    @property
    def label(self) -> str:
        return str(self.step.label)


def _href(product: Product | None) -> str:
    return f"/products/{to_public(Product.PREFIX, product.uid)}" if product else ""


def wishes_of(customer_id: int, viewer: Viewer) -> list[Wish]:
    """What is on the customer's wishlists now, the newest first; of two profiles with one list the later word counts."""
    rows = WishlistItem.objects.filter(profile__in=_profiles(customer_id, viewer)).select_related("profile")
    found: dict[tuple[int, str, str], list[WishlistItem]] = {}
    for row in rows.order_by("added_at", "pk"):
        found.setdefault((row.profile.store_id or 0, row.list_key, row.item_key), []).append(row)
    there = [wish for (store, _, _), some in found.items() if (wish := _wish(some, store))]
    newest = sorted(there, key=lambda wish: wish.added_at, reverse=True)[:MOST]
    products = _products((wish.store_id, wish.product_key, wish.sku) for wish in newest)
    return [replace(wish, product=products.get((wish.store_id, wish.product_key, wish.sku))) for wish in newest]


def _wish(rows: Sequence[WishlistItem], store_id: int) -> Wish | None:
    added = [row for row in rows if row.added_at]
    removed = max((row.removed_at for row in rows if row.removed_at), default=None)
    row = max(added, key=lambda row: (row.added_at, row.pk), default=None)
    if row is None or row.added_at is None or (removed and removed >= row.added_at):
        return None
    return Wish(
        row.title or row.item_key, row.sku, row.product_key, row.list_key, row.unit_price, row.currency, row.added_at, store_id
    )  # fmt: skip


def searches_of(customer_id: int, viewer: Viewer) -> list[Searched]:
    """What the customer searched for, the last first; the same words of several profiles are counted together."""
    rows = list(Search.objects.filter(profile__in=_profiles(customer_id, viewer)).order_by("-last_at", "-pk")[:MOST])
    plain = keys.find_keys(row.profile_id for row in rows)
    found: dict[str, Searched] = {}
    for row in rows:
        if row.profile_id not in plain:
            continue
        cell = cell_of("search", "words", row.profile_id)
        words = unseal(plain[row.profile_id], bytes(row.words), cell).decode()
        one = Searched(words, row.count, row.first_at, row.last_at)
        name = " ".join(words.casefold().split())
        found[name] = _together(found[name], one) if name in found else one
    return list(found.values())


def _together(later: Searched, one: Searched) -> Searched:
    return replace(later, count=later.count + one.count, first_at=min(later.first_at, one.first_at))


def reviews_of(customer_id: int, viewer: Viewer) -> list[Reviewed]:
    """The customer's reviews, the newest first; of two profiles with one review the confirmed and later word counts."""
    rows = Review.objects.filter(profile__in=_profiles(customer_id, viewer)).select_related("profile")
    newest: dict[tuple[int, str], Review] = {}
    for row in sorted(rows, key=lambda row: (not row.is_claimed, row.written_at, row.pk)):
        newest[row.profile.store_id or 0, row.key] = row
    shown = sorted(newest.items(), key=lambda pair: (pair[1].written_at, pair[1].pk), reverse=True)[:MOST]
    plain = keys.find_keys(row.profile_id for _, row in shown)
    products = _products((store, row.product_key, "") for (store, _), row in shown)
    return [
        Reviewed(
            row.key, row.product_key, row.rating, _body(row, plain), row.is_claimed, row.written_at, store,
            products.get((store, row.product_key, "")),
        )
        for (store, _), row in shown
    ]  # fmt: skip


def coupons_of(customer_id: int, viewer: Viewer) -> list[Tried]:
    """Codes that the customer tried, the last first; of two profiles with one code the later word counts."""
    rows = TriedCoupon.objects.filter(profile__in=_profiles(customer_id, viewer)).select_related("profile")
    found: dict[tuple[int, str], Tried] = {}
    for row in rows.order_by("pk"):
        key, one = (row.profile.store_id or 0, row.name), _tried(row)
        found[key] = max(found.get(key, one), one, key=lambda tried: tried.at)
    newest = sorted(found.items(), key=lambda pair: pair[1].at, reverse=True)[:MOST]
    known = Coupon.objects.filter(store__in={s for (s, _), _ in newest}, name__in={name for (_, name), _ in newest})
    coupons = {(one.store_id, one.name): one for one in known}
    return [replace(one, coupon=coupons.get(key)) for key, one in newest]


def _tried(row: TriedCoupon) -> Tried:
    times = [(at, place, step) for place, step in enumerate(CouponStep) if (at := getattr(row, f"{step}_at"))]
    at, _, step = max(times)
    is_applied = step == CouponStep.APPLIED
    discount, currency = (row.discount, row.currency) if is_applied else (None, "")
    return Tried(row.code, step, at, discount, currency, row.profile.store_id or 0)


def people_who_tried(coupon: Coupon) -> dict[CouponStep, int]:
    """How many profiles of the coupon's store its code was ever applied for, and how many it was denied."""
    rows = TriedCoupon.objects.filter(profile__store=coupon.store_id, name=coupon.name)
    counted = rows.aggregate(applied=Count("applied_at"), denied=Count("denied_at"))
    return {CouponStep(step): number for step, number in counted.items()}


def count_interests(profiles: Collection[int]) -> int:
    """How many wishes, searches, reviews and tried coupons hang on these profiles."""
    tables = (WishlistItem, Search, Review, TriedCoupon)
    return sum(table._default_manager.filter(profile__in=profiles).count() for table in tables)


def _body(row: Review, plain: keys.Keys) -> str:
    if row.body is None or row.profile_id not in plain:
        return ""
    return unseal(plain[row.profile_id], bytes(row.body), cell_of("review", "body", row.profile_id)).decode()


def _profiles(customer_id: int, viewer: Viewer) -> list[int]:
    return profiles_of([customer_id], viewer.store_ids).get(customer_id, [])


Place = tuple[int, str, str]  # store, the product's key, sku


def _products(places: Iterable[Place]) -> dict[Place, Product]:
    """Products of the catalog by where they are named: by the key of the product, else by a variant's sku."""
    wanted = set(places)
    keyed, skus = {key for _, key, _ in wanted} - {""}, {sku for _, _, sku in wanted} - {""}
    if not keyed | skus:
        return {}
    rows = Variant.objects.filter(
        Q(product__key__in=keyed) | Q(sku__in=skus), product__store__in={s for s, _, _ in wanted}
    )
    by_key, by_sku = {}, {}
    for variant in rows.select_related("product").order_by("-pk"):
        by_key[variant.product.store_id, variant.product.key] = variant.product
        by_sku[variant.product.store_id, variant.sku] = variant.product
    found = {(store, key, sku): by_key.get((store, key)) or by_sku.get((store, sku)) for store, key, sku in wanted}
    return {place: product for place, product in found.items() if product}
