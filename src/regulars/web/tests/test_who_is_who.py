"""Staff look at two who may be one, decide, and take it back; they merge and split customers, and see before what moves."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.test import Client

from regulars.foundation.access.operations import create_staff
from regulars.foundation.access.tokens import create_token
from regulars.foundation.access.viewer import everything
from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.ids import to_public
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.shop.settings import read_setting
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import Customer, Decision, IdentityKind, PossibleDuplicate
from regulars.record.customers.queries import customer_of, customers_of
from regulars.record.events import log as event_log
from regulars.record.interest.inputs import WishInput
from regulars.record.interest.operations import apply_wishes
from regulars.record.orders.inputs import LineInput, OrderInput
from regulars.record.orders.models import Order
from regulars.record.orders.operations import apply_orders

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
MAIL = IdentityInput(IdentityKind.EMAIL, "family@x.example")


def person(number: int, name: str, *more: IdentityInput, store: Store) -> PersonInput:
    own = IdentityInput(IdentityKind.STORE_CUSTOMER, str(number), store.code)
    return PersonInput((own, *more), AT, store.pk, contact=ContactCard(name=name))


def order(key: str, whose: PersonInput, store: Store, price: str = "5") -> int:
    """The profile of whoever ordered."""
    with event_log.transaction("api") as log:
        line = LineInput("A", "Mug", 1, Decimal(price))
        apply_orders([OrderInput(key, AT, "GBP", (line,), whose)], log, store_id=store.pk, at=AT)
    return Order.objects.get(number=key).profile_id or 0


@pytest.fixture
def uk() -> Store:
    brand = Brand.objects.create(name="b", from_name="b", from_address="b@shop.example")
    return Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")


@pytest.fixture
def pair(uk: Store) -> tuple[int, int]:
    """Profiles of two with orders, different names and one mail address."""
    ann, bob = person(1, "Ann Lee", MAIL, store=uk), person(2, "Bob Lee", MAIL, store=uk)
    return order("O1", ann, uk), order("O2", bob, uk, "12.50")


def signed_in(role: str, *stores: int) -> Client:
    member, _ = create_staff(f"{role}@shop.example", role, SYSTEM, AT, stores=stores)
    client = Client()
    client.force_login(member)
    return client


def public(profile: int) -> str:
    return to_public("cus", Customer.objects.get(pk=customer_of(profile)).uid)


def test_a_pair_waits_is_decided_and_that_is_taken_back(pair: tuple[int, int]) -> None:
    one, other = pair
    before, client = customers_of(pair), signed_in("manager")
    assert before[one] != before[other]
    listed = client.get("/customers/duplicates").content.decode()
    assert all(word in listed for word in ("Ann Lee", "Bob Lee", "family@x.example", "1 pair"))
    case = PossibleDuplicate.objects.get()
    page = client.get(f"/customers/duplicates/{case.pk}").content.decode()
    assert all(word in page for word in ("Ann Lee", "Bob Lee", "Same person", "Different people", "£12.50"))
    assert client.post(f"/customers/duplicates/{case.pk}", {"verdict": "maybe"}).status_code == 400
    assert (customers_of(pair), Decision.objects.count()) == (before, 0)
    assert client.post(f"/customers/duplicates/{case.pk}", {"verdict": "same"}).status_code == 302
    after = customers_of(pair)
    assert after[one] == after[other] == before[one]
    assert PossibleDuplicate.objects.count() == 0
    assert client.get(f"/customers/duplicates/{case.pk}").status_code == 404
    decision = Decision.objects.get()
    listed = client.get("/customers/decisions").content.decode()
    assert all(word in listed for word in ("Same person", "Bob Lee", "1 decision"))
    address = f"/customers/decisions/{to_public('dec', decision.uid)}/withdraw"
    assert client.post(address).status_code == 302
    assert customers_of(pair) == before  # each is who they were, under the number they had
    assert PossibleDuplicate.objects.count() == 1
    assert client.post(address).status_code == 409
    kinds = [e.action for e in AuditEntry.objects.order_by("sequence") if e.action.startswith("customer.")]
    assert kinds == ["customer.same", "customer.undecided"]


def test_different_people_stay_apart_and_do_not_wait_again(pair: tuple[int, int], uk: Store) -> None:
    client = signed_in("agent")
    client.post(f"/customers/duplicates/{PossibleDuplicate.objects.get().pk}", {"verdict": "different"})
    assert PossibleDuplicate.objects.count() == 0
    order("O3", person(1, "Ann Lee", MAIL, store=uk), uk)
    owners = customers_of(pair)
    assert (owners[pair[0]] != owners[pair[1]], PossibleDuplicate.objects.count()) == (True, 0)


def test_after_a_pair_comes_the_next_with_the_way_back(pair: tuple[int, int], uk: Store) -> None:
    mail = IdentityInput(IdentityKind.EMAIL, "other@x.example")
    for number, name in ((3, "Cay Ray"), (4, "Dan Ray")):
        order(f"N{number}", person(number, name, mail, store=uk), uk)
    client = signed_in("manager")
    first, second = PossibleDuplicate.objects.order_by("pk")
    answer = client.post(f"/customers/duplicates/{first.pk}", {"verdict": "different"})
    decision = Decision.objects.get()
    following = answer.headers["Location"]
    assert following == f"/customers/duplicates/{second.pk}?decided={to_public('dec', decision.uid)}"
    page = client.get(following).content.decode()
    assert f"/customers/decisions/{to_public('dec', decision.uid)}/withdraw" in page


def test_two_are_merged_by_hand_and_split_again(uk: Store) -> None:
    one = order("O1", person(1, "Ann Lee", store=uk), uk)
    other = order("O2", person(2, "Ann Lea", store=uk), uk, "7")
    with event_log.transaction("test") as log:
        apply_wishes([WishInput(profile, AT, "GBP", title="Mug") for profile in (one, other)], log)
    client, before = signed_in("manager"), customers_of([one, other])
    found = client.get(f"/customers/{public(one)}/merge?q=lea").content.decode()
    assert f"/merge?with={public(other)}" in found
    look = client.get(f"/customers/{public(one)}/merge?with={public(other)}").content.decode()
    assert "What it will be" in look
    assert "£12.00" in look  # both orders together
    wishes = "Wishes, searches, reviews, coupons tried</dt><dd>"
    assert [look.count(f"{wishes}{n}<") for n in (1, 2)] == [2, 1]
    assert customers_of([one, other]) == before
    client.post(f"/customers/{public(one)}/merge", {"with": public(other)})
    assert customers_of([one, other]) == {one: before[one], other: before[one]}
    page = client.get(f"/customers/{public(one)}").content.decode()
    assert all(word in page for word in ("How we know", "Decided: same person", "Take back"))
    split = f"/customers/{public(one)}/split"
    assert client.post(split, {"profile": [one, other]}).status_code == 400
    assert "£7.00" in client.get(f"{split}?profile={other}").content.decode()
    client.post(split, {"profile": [other]})
    assert customers_of([one, other]) == before


def test_only_who_may_and_who_sees_all_of_both_decides(pair: tuple[int, int], uk: Store) -> None:
    de = Store.objects.create(code="de", name="DE", brand=uk.brand, currency="EUR")
    case = PossibleDuplicate.objects.get().pk
    assert signed_in("marketer").get("/customers/duplicates").status_code == 403
    agent = signed_in("agent", uk.pk)
    assert agent.get(f"/customers/duplicates/{case}").status_code == 200
    order("D1", person(1, "Ann Lee", MAIL, store=de), de)  # Ann is known in Germany too
    case = PossibleDuplicate.objects.order_by("pk")[0].pk
    before = customers_of(pair)
    assert "Ann Lee" not in agent.get("/customers/duplicates").content.decode()
    assert agent.get(f"/customers/duplicates/{case}").status_code == 404
    assert agent.post(f"/customers/duplicates/{case}", {"verdict": "same"}).status_code == 404
    answer = agent.post(f"/customers/{public(pair[0])}/merge", {"with": public(pair[1])})
    assert answer.status_code == 403
    assert (customers_of(pair), Decision.objects.count()) == (before, 0)


def test_the_api_previews_merges_splits_and_takes_back(pair: tuple[int, int]) -> None:
    one, other = pair
    _, token = create_token("t", ["customers:merge", "customers:read"], everything(), AT)
    headers = {"Authorization": f"Bearer {token}"}
    before, client = customers_of(pair), Client()

    def post(path: str, body: object = None) -> tuple[int, dict[str, object]]:
        sent = client.post(f"/api/v1{path}", body or {}, content_type="application/json", headers=headers)
        return sent.status_code, sent.json()

    waiting = client.get("/api/v1/possible-duplicates", headers=headers).json()["items"]
    assert [(w["one"], w["other"], w["reason"]) for w in waiting] == [(public(one), public(other), "names")]
    status, said = post(f"/customers/{public(one)}/merge", {"with": [public(other)], "preview": True})
    assert (status, said["decision"]) == (200, None)
    assert said["customers"] == [{"id": public(one), "profiles": sorted(pair)}]
    assert customers_of(pair) == before
    status, said = post(f"/customers/{public(one)}/merge", {"with": [public(other)]})
    assert (status, customers_of(pair)) == (200, {one: before[one], other: before[one]})
    status, _ = post(f"/decisions/{said['decision']}/withdraw")
    assert (status, customers_of(pair)) == (200, before)
    status, _ = post(f"/customers/{public(one)}/keep-apart", {"from": public(other)})
    assert (status, PossibleDuplicate.objects.count()) == (200, 0)
    assert post(f"/customers/{public(one)}/split", {"profiles": [one]})[0] == 400
    decisions = client.get("/api/v1/decisions", headers=headers).json()["items"]
    assert [(d["verdict"], d["withdrawn_at"] is None) for d in decisions] == [("same", False), ("different", True)]


def test_staff_name_identifiers_and_say_what_tells_nobody_apart(uk: Store) -> None:
    client = signed_in("manager")
    assert client.post("/settings/identifiers", {"name": "loyalty_card", "label": "Loyalty card"}).status_code == 302
    wrong = client.post("/settings/identifiers", {"name": "loyalty_card", "label": "Again"})
    assert (wrong.status_code, "already" in wrong.content.decode()) == (400, True)
    guards = {"most_profiles": "3", "no_identifiers": "till@shop.example\n+44 20 7946 0000\n"}
    assert client.post("/settings/identifiers", guards).status_code == 302
    assert client.post("/settings/identifiers", guards | {"no_identifiers": "the till"}).status_code == 400
    assert read_setting("customers.most_profiles") == 3
    assert read_setting("customers.no_identifiers") == ["till@shop.example", "+44 20 7946 0000"]
    page = client.get("/settings/identifiers").content.decode()
    assert all(word in page for word in ("Loyalty card", "till@shop.example"))
    assert signed_in("agent").get("/settings/identifiers").status_code == 403
