"""What calls do to wishlists, searches, reviews and tried coupons."""

from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from django.test import Client

from regulars.connections.tracking.tests.shop import AT, MUG, POT, Shop, customer_of_user, refusals
from regulars.foundation.access import tokens
from regulars.foundation.access.viewer import Viewer, everything
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.ids import to_public
from regulars.record.coupons.inputs import CouponInput
from regulars.record.coupons.models import Coupon, CouponKind
from regulars.record.coupons.operations import apply_coupons
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import Customer, IdentityKind
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.operations.erasure import erase_customer, export_subject
from regulars.record.customers.queries import customer_of
from regulars.record.events.log import transaction
from regulars.record.interest import stats, verify
from regulars.record.interest.inputs import ReviewInput, SearchInput, TriedCouponInput, WishInput
from regulars.record.interest.models import CouponStep, Review, Search, TriedCoupon, WishlistItem
from regulars.record.interest.operations import apply_reviews, apply_searches, apply_tried_coupons, apply_wishes
from regulars.record.interest.queries import coupons_of, people_who_tried, reviews_of, searches_of, wishes_of

pytestmark = pytest.mark.django_db
ADDED, REMOVED = "Product Added to Wishlist", "Product Removed from Wishlist"
ALL = everything()


def customer() -> int:
    return customer_of(WishlistItem.objects.values_list("profile", flat=True)[0])


def test_what_is_put_on_a_wishlist_is_on_it_until_it_is_taken_off(shop: Shop) -> None:
    shop.track("Product Added", MUG)  # so that the catalog knows the mug, and not the pot
    shop.track(ADDED, MUG | {"wishlist_id": "xmas"})
    shop.track(ADDED, POT | {"currency": "gbp"})
    shop.track(ADDED, {"wishlist_id": "xmas"})  # of nothing that has a name
    found = wishes_of(customer(), ALL)
    assert [(w.title, w.list_key, w.unit_price, w.currency, bool(w.href)) for w in found] == [
        ("Pot", "", Decimal(30), "GBP", False), ("Mug", "xmas", Decimal("12.5"), "EUR", True),
    ]  # fmt: skip
    shop.track(REMOVED, MUG)  # of the other list
    assert len(wishes_of(customer(), ALL)) == 2
    shop.track(REMOVED, MUG | {"wishlist_id": "xmas"})
    assert [w.title for w in wishes_of(customer(), ALL)] == ["Pot"]
    shop.track(ADDED, MUG | {"wishlist_id": "xmas", "price": 9})
    assert [(w.title, w.unit_price) for w in wishes_of(customer(), ALL)] == [("Mug", Decimal(9)), ("Pot", Decimal(30))]
    shop.tell(
        "track", event=ADDED, anonymousId="anon-1", messageId="m3", properties=MUG
    )  # a repetition of another call
    assert (WishlistItem.objects.count(), refusals()) == (3, [])


def test_searches_are_counted_and_sealed(shop: Shop) -> None:
    for query in ("Red  mug", "red mug ", "pot", "", 7, None):
        shop.track("Products Searched", {"query": query})
    profile = Search.objects.values_list("profile", flat=True)[0]
    found = searches_of(customer_of(profile), ALL)
    assert [(one.words, one.count) for one in found] == [("pot", 1), ("red mug", 2)]
    assert found[1].last_at - found[1].first_at == timedelta(seconds=1)
    assert all(b"mug" not in bytes(words) for words in Search.objects.values_list("words", flat=True))


def test_a_review_is_what_was_said_last_and_a_servers_word_stands(shop: Shop) -> None:
    said = {"product_id": "10", "review_id": "r1", "rating": "5", "review_body": "Lovely"}
    shop.track("Product Added", MUG, shop.server, userId="u1")
    shop.track("Product Reviewed", said | {"rating": "five stars"}, shop.server, userId="u1")
    shop.track("Product Reviewed", said | {"rating": "4.5", "review_body": "Chipped"}, shop.server, userId="u1")
    shop.track("Product Reviewed", {"rating": "1"}, shop.server, userId="u1")  # of nothing
    [customer] = customer_of_user("u1")
    [one] = reviews_of(customer, ALL)
    assert (one.title, one.rating, one.body, one.is_claimed) == ("Mug", Decimal("4.5"), "Chipped", False)
    shop.track("Product Reviewed", said | {"rating": "1"})  # the visitor's own, whatever id they name
    assert [r.rating for r in reviews_of(customer, ALL)] == [Decimal("4.5")]
    assert sorted(Review.objects.values_list("rating", "is_claimed")) == [(1, True), (Decimal("4.5"), False)]


def test_what_became_of_a_code_at_the_checkout(shop: Shop) -> None:
    with transaction("test") as log:
        apply_coupons([CouponInput("Spring", CouponKind.PERCENT, Decimal(10))], log, store_id=shop.store.pk, at=AT)
    shop.track("Coupon Entered", {"coupon_id": "SPRING"})
    shop.track("Coupon Applied", {"coupon_id": "spring ", "discount": "12.5", "currency": "gbp"})
    shop.track("Coupon Denied", {"coupon_name": "Summer", "reason": "over"})
    shop.track("Coupon Entered", {"order_id": "1"})  # names none
    owner = customer_of(TriedCoupon.objects.values_list("profile", flat=True)[0])
    said = [(one.code, one.step, one.discount, one.currency, bool(one.href)) for one in coupons_of(owner, ALL)]
    assert said == [
        ("Summer", CouponStep.DENIED, None, "", False), ("SPRING", CouponStep.APPLIED, Decimal("12.5"), "GBP", True),
    ]  # fmt: skip
    assert people_who_tried(Coupon.objects.get()) == {CouponStep.APPLIED: 1, CouponStep.DENIED: 0}
    shop.track("Coupon Removed", {"coupon_id": "Spring"})
    newest = coupons_of(owner, ALL)[0]
    assert (newest.code, newest.step) == ("SPRING", CouponStep.REMOVED)
    assert (TriedCoupon.objects.count(), refusals()) == (2, [])


def _profile(shop: Shop, name: str, store: int) -> int:
    with transaction("test") as log:
        return ensure_profiles([PersonInput((IdentityInput(IdentityKind.OTHER, name, "x"),), AT, store)], log)[0]


def test_the_rows_are_the_same_whatever_the_order_and_however_it_is_cut(shop: Shop) -> None:
    def moment(minutes: int) -> Any:
        return AT + timedelta(minutes=minutes)

    seen = set()
    for number, order in enumerate(permutations(range(4))):
        profile = _profile(shop, f"p{number}", shop.store.pk)
        wishes = [
            WishInput(profile, moment(1), "EUR", sku="A", title="old", unit_price=Decimal(1)),
            WishInput(profile, moment(2), "EUR", is_removed=True, sku="A"),
            WishInput(profile, moment(3), "EUR", sku="A", title="new", unit_price=Decimal(2)),
            WishInput(profile, moment(3), "EUR", is_removed=True, sku="B"),
        ]
        searches = [SearchInput(profile, moment(n), ("Pot", "pot", "POT", "mug")[n]) for n in range(4)]
        reviews = [
            ReviewInput(profile, moment(n), "r", n % 2 == 1, rating=Decimal(n), body=str(n)) for n in range(4)
        ]  # the confirmed ones are 0 and 2
        coupons = [
            TriedCouponInput(
                profile, moment(n // 2), ("a", "A", "a ", "A")[n], step, discount=Decimal(n), currency="EUR"
            )
            for n, step in enumerate((CouponStep.ENTERED, CouponStep.APPLIED, CouponStep.DENIED, CouponStep.APPLIED))
        ]  # denied and applied at one moment: it was applied
        cut = number % 5
        for part in (order[:cut], order[cut:]):
            with transaction("test") as log:
                apply_wishes([wishes[n] for n in part], log)
                apply_searches([searches[n] for n in part], log)
                apply_reviews([reviews[n] for n in part], log)
                apply_tried_coupons([coupons[n] for n in part], log)
        columns = ("item_key", "title", "unit_price", "added_at", "removed_at")
        rows = WishlistItem.objects.filter(profile=profile).order_by("item_key").values_list(*columns)
        owner = customer_of(profile)
        seen.add(
            (tuple(rows), tuple(searches_of(owner, ALL)), tuple(reviews_of(owner, ALL)), tuple(coupons_of(owner, ALL)))
        )
        assert [w.title for w in wishes_of(owner, ALL)] == ["new"]
    [(_, searched, [review], [tried])] = seen
    assert (tried.code, tried.step, tried.discount, tried.at) == ("A", CouponStep.APPLIED, Decimal(3), moment(1))
    assert [(s.words, s.count) for s in searched] == [("mug", 1), ("POT", 3)]
    assert (review.rating, review.body, review.is_claimed) == (Decimal(2), "2", False)


def test_profiles_of_one_customer_are_read_as_one_and_stores_apart(shop: Shop) -> None:
    other = type(shop.store).objects.create(code="de", name="DE", brand=shop.store.brand, currency="EUR")
    mail = IdentityInput(IdentityKind.EMAIL, "ann@shop.example")
    with transaction("test") as log:
        people = [
            PersonInput((IdentityInput(IdentityKind.STORE_CUSTOMER, name, code), mail), AT, store)
            for name, code, store in (("1", "uk", shop.store.pk), ("2", "uk", shop.store.pk), ("3", "de", other.pk))
        ]
        first, second, third = ensure_profiles(people, log)
        apply_wishes([WishInput(first, AT, "EUR", sku="A"), WishInput(first, AT, "EUR", sku="B")], log)
        apply_wishes([WishInput(second, AT + timedelta(1), "EUR", is_removed=True, sku="A")], log)
        apply_wishes([WishInput(third, AT, "EUR", sku="C")], log)
        apply_searches(
            [SearchInput(one, AT, "germanword" if one == third else "mug") for one in (first, second, third)], log
        )
        apply_reviews([ReviewInput(third, AT, "r", is_claimed=False, body="germanword")], log)
    [owner] = {customer_of(one) for one in (first, second, third)}
    uk = Viewer(ALL.staff_id, ALL.permissions, frozenset({shop.store.pk}))
    assert sorted(w.title for w in wishes_of(owner, ALL)) == ["B", "C"]
    assert [w.title for w in wishes_of(owner, uk)] == ["B"]
    assert ([(s.words, s.count) for s in searches_of(owner, uk)], reviews_of(owner, uk)) == ([("mug", 2)], [])
    public = to_public(Customer.PREFIX, Customer.objects.get(pk=owner).uid)
    _, text = tokens.create_token("t", ["customers:read"], SYSTEM, AT, store_id=shop.store.pk)
    answer = Client().get(f"/api/v1/customers/{public}/interest", headers={"Authorization": f"Bearer {text}"})
    assert (answer.status_code, [w["sku"] for w in answer.json()["wishlist"]]) == (200, ["B"])
    assert b"germanword" not in answer.content
    _, none = tokens.create_token("n", ["orders:read"], SYSTEM, AT)
    assert (
        Client().get(f"/api/v1/customers/{public}/interest", headers={"Authorization": f"Bearer {none}"}).status_code
        == 403
    )


def test_they_are_exported_erased_counted_and_verified(shop: Shop) -> None:
    shop.track(ADDED, POT)
    shop.track("Products Searched", {"query": "secret gift"})
    shop.track("Product Reviewed", {"product_id": "11", "rating": 4, "review_body": "for my aunt"})
    shop.track("Coupon Denied", {"coupon_id": "VIP"})
    owner = customer()
    told = export_subject(owner, SYSTEM, shop.at).tables
    assert [row["title"] for row in told["interest_wishlistitem"]] == ["Pot"]
    assert [row["words"] for row in told["interest_search"]] == ["secret gift"]
    assert [row["body"] for row in told["interest_review"]] == ["for my aunt"]
    assert [row["code"] for row in told["interest_triedcoupon"]] == ["VIP"]
    assert stats.stats() == {"wishlist_items": 1, "searches": 1, "reviews": 1, "tried_coupons": 1}
    assert verify.differences() == []
    row = Search.objects.get()
    Search.objects.update(count=0)
    assert verify.differences() == [f"search {row.pk}: its count or its times cannot be"]
    erase_customer(owner, SYSTEM, shop.at)
    assert stats.stats() == {"wishlist_items": 0, "searches": 0, "reviews": 0, "tried_coupons": 0}
