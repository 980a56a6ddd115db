"""Coupons as shops state them: late, twice, gone, for one person."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from regulars.foundation.shop.models import Brand, Store
from regulars.record.coupons.inputs import CouponInput, CouponRemoval
from regulars.record.coupons.models import Coupon, CouponKind, CouponStatus
from regulars.record.coupons.operations import AppliedCoupons, apply_coupons, remove_coupons
from regulars.record.coupons.rules import codes_in, standing
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind, Profile
from regulars.record.events.log import transaction
from regulars.record.events.models import Event

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANN = PersonInput((IdentityInput(IdentityKind.EMAIL, "ann@shop.example"),), AT)


def new_store(code: str = "uk") -> Store:
    brand = Brand.objects.create(name=code, from_name="b", from_address="b@shop.example")
    return Store.objects.create(code=code, name=code, brand=brand, currency="GBP")


def coupon(hour: int = 0, **more: object) -> CouponInput:
    values: dict[str, object] = {
        "amount": Decimal(10 + hour),
        "external_id": "9",
        "stated_at": AT + hour * HOUR,
        **more,
    }
    return CouponInput("Spring", CouponKind.PERCENT, **values)  # type: ignore[arg-type]


def tell(store: Store, *said: CouponInput | CouponRemoval) -> AppliedCoupons:
    done = AppliedCoupons()
    for one in said:
        with transaction("test", "t") as log:
            if isinstance(one, CouponRemoval):
                remove_coupons([one], log, store_id=store.pk, at=AT)
            else:
                done = apply_coupons([one], log, store_id=store.pk, at=AT)
    return done


def kinds() -> list[str]:
    return list(Event.objects.filter(kind__startswith="coupon").order_by("position").values_list("kind", flat=True))


def test_a_code_is_one_whatever_its_capitals_and_tells_what_changed() -> None:
    store = new_store()
    first = tell(store, coupon())
    assert (first.created, first.updated) == (1, 0)
    other = CouponInput("SPRING", CouponKind.PERCENT, Decimal(20), used=3, person=ANN, stated_at=AT + HOUR)
    assert tell(store, other) == AppliedCoupons(updated=1, coupon_ids={"SPRING": first.coupon_ids["Spring"]})
    row = Coupon.objects.get()
    assert (row.code, row.amount, row.external_id, row.used) == ("SPRING", Decimal(20), "9", 3)
    assert row.profile_id == Profile.objects.get().pk
    assert tell(store, coupon(2, amount=Decimal(20))).updated == 1  # back to its first spelling
    assert Coupon.objects.get().profile_id is not None
    assert kinds() == ["coupon.created", "coupon.changed", "coupon.changed"]


def test_the_same_again_and_what_is_late_change_nothing() -> None:
    store = new_store()
    tell(store, coupon(1))
    assert tell(store, coupon(1)).unchanged == 1
    assert tell(store, coupon(0, amount=Decimal(99))).unchanged == 1
    assert tell(store, coupon(2, amount=Decimal(11), used=5)).updated == 1  # how often it was used is no event
    assert (Coupon.objects.get().amount, Coupon.objects.get().used, kinds()) == (Decimal(11), 5, ["coupon.created"])


@pytest.mark.parametrize(
    "removal", [CouponRemoval(AT + 2 * HOUR, external_id="9"), CouponRemoval(AT + 2 * HOUR, code="SPRING")]
)
def test_what_is_gone_stays_gone_in_any_order_until_it_is_stated_again(removal: CouponRemoval) -> None:
    story: list[CouponInput | CouponRemoval] = [coupon(0), coupon(1), removal]
    for number, order in enumerate(itertools.permutations(story)):
        store = new_store(f"a{number}")
        tell(store, *order, order[0])
        row = Coupon.objects.get(store=store)
        assert (row.status, row.amount, row.stated_at) == (CouponStatus.DELETED, Decimal(11), AT + HOUR)
    for number, order in enumerate(itertools.permutations([*story, coupon(3)])):
        store = new_store(f"b{number}")
        tell(store, *order)
        assert Coupon.objects.values_list("status", "amount").get(store=store) == ("active", Decimal(13))


def test_how_a_coupon_stands() -> None:
    assert standing("active", None, None, None, 5, AT) == "active"
    assert standing("active", None, AT, None, None, AT) == "expired"
    assert standing("active", AT + HOUR, None, None, None, AT) == "pending"
    assert standing("active", None, None, 2, 2, AT) == "used_up"
    assert standing("disabled", None, AT, 2, 2, AT) == "disabled"
    assert codes_in(" A, b ,,") == ["A", "b"]
