"""Every write of the API, each with a body that it takes, in a house of two stores. A new one belongs here: the tests over it say so."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from regulars.config.api_v1 import build_api
from regulars.config.tests.test_api import ORDER
from regulars.foundation.access.viewer import everything
from regulars.foundation.ids import to_public
from regulars.foundation.shop.models import Brand, Store
from regulars.insight.segments.models import Segment
from regulars.record.catalog.models import Product
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import Customer, Decision, IdentityKind
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.operations.decisions import decide, same_person
from regulars.record.customers.queries import customer_of
from regulars.record.events.log import transaction
from regulars.record.events.models import Event
from regulars.record.lists.models import CustomerList
from regulars.record.lists.operations import create_list, put_customers_on
from regulars.record.orders.models import Order

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
PRODUCT = {"store": "uk", "key": "pot", "title": "Pot", "variants": [{"sku": "P", "price": "4.5", "currency": "GBP"}]}


@dataclass(frozen=True)
class Write:
    """One call: its address, a body that it takes, and another."""

    path: str
    body: Any
    other: Any


@dataclass
class People:
    """Three people of the British store by their profiles, of whom the first is on the list 'vip' and the last has two, by decision."""

    uk: Store
    profiles: list[int]
    decision: str

    def public(self, number: int) -> str:
        return to_public(Customer.PREFIX, Customer.objects.get(pk=customer_of(self.profiles[number])).uid)


def make_house() -> People:
    brand = Brand.objects.create(name="B", from_name="B", from_address="b@shop.example")
    Store.objects.create(code="de", name="DE", brand=brand, currency="EUR")
    uk = Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")
    names = [IdentityInput(IdentityKind.STORE_CUSTOMER, f"c{number}", uk.code) for number in range(4)]
    with transaction("system") as log:
        profiles = ensure_profiles([PersonInput((name,), AT, uk.pk) for name in names], log)
    put_customers_on(create_list("VIP", everything(), AT), [customer_of(profiles[0])], everything(), AT)
    row = decide(same_person([customer_of(profiles[2]), customer_of(profiles[3])]), everything(), AT)
    return People(uk, list(profiles), to_public(Decision.PREFIX, row.uid))


def _customer(house: People) -> Write:
    return Write("/customers", {"email": "new@shop.example", "store": "uk"}, {"email": "new2@shop.example"})


def _event(house: People) -> Write:
    said = {"name": "Quiz Taken", "customer": {"store_customer_id": "c1", "store": "uk"}}
    return Write("/events", said, said | {"name": "Quiz Left"})


def _order(house: People) -> Write:
    return Write("/orders", ORDER, ORDER | {"shipping_minor": 1})


def _product(house: People) -> Write:
    return Write("/products", PRODUCT, PRODUCT | {"title": "Can"})


def _merge(house: People) -> Write:
    return Write(f"/customers/{house.public(0)}/merge", {"with": [house.public(1)]}, {"with": [house.public(2)]})


def _split(house: People) -> Write:
    return Write(
        f"/customers/{house.public(2)}/split",
        {"profiles": [house.profiles[3]]},
        {"profiles": [house.profiles[2]]},
    )


def _apart(house: People) -> Write:
    return Write(f"/customers/{house.public(0)}/keep-apart", {"from": house.public(1)}, {"from": house.public(2)})


def _withdraw(house: People) -> Write:
    return Write(f"/decisions/{house.decision}/withdraw", None, {})


def _segment(house: People) -> Write:
    where = {"of": "orders", "measure": {"sum": "total"}, "window": {"after": "2026-01-01"}, "op": "ge", "value": 5000}
    said = {"name": "Big spenders", "definition": {"version": 1, "where": where}}
    return Write("/segments", said, said | {"name": "Spenders"})


def _list(house: People) -> Write:
    return Write("/lists", {"name": "Best"}, {"name": "Second best"})


def _put_on(house: People) -> Write:
    one, other = ({"people": [{"customer": house.public(n)}]} for n in (1, 2))
    return Write("/lists/vip/members", one, other)


def _take_off(house: People) -> Write:
    one, other = ({"people": [{"customer": house.public(n)}]} for n in range(2))
    return Write("/lists/vip/members/remove", one, other)


WRITES: Mapping[str, Callable[[People], Write]] = {
    "/customers": _customer,
    "/events": _event,
    "/orders": _order,
    "/products": _product,
    "/customers/{customer_id}/merge": _merge,
    "/customers/{customer_id}/split": _split,
    "/customers/{customer_id}/keep-apart": _apart,
    "/decisions/{decision_id}/withdraw": _withdraw,
    "/segments": _segment,
    "/lists": _list,
    "/lists/{list_id}/members": _put_on,
    "/lists/{list_id}/members/remove": _take_off,
}
ASKED = {"/segments/conditions/count", "/segments/conditions/plan"}  # by POST, and nothing is written


def routes(method: str) -> list[str]:
    """The API's routes of a method, as its description names them."""
    return sorted(path for path, operations in _described().items() if method in operations)


def filters(route: str) -> list[str]:
    """What a list can be asked for by."""
    return [given["name"] for given in _described()[route]["get"]["parameters"]]


@cache
def _described() -> dict[str, dict[str, Any]]:
    return dict(build_api().get_openapi_schema(path_prefix="")["paths"])


def written() -> tuple[int, ...]:
    """How much there is of what these writes write."""
    return tuple(model.objects.count() for model in (Event, Customer, Decision, Segment, Order, Product, CustomerList))
