"""Devices that several people use, sign-outs that a site forgets, and ids that stand for nobody: nobody becomes somebody else."""

import itertools
from collections.abc import Callable

import pytest
from django.db import transaction

from regulars.connections.tracking.tests.shop import MUG, Shop, events, refusals
from regulars.record.customers.inputs import IdentityInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.queries import customer_of, customers_of, find_by_identity

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(monkeypatch)


def user(name: str) -> list[int]:
    """Who is known by it; whoever a browser only says it of is somebody else."""
    found = find_by_identity(IdentityInput(IdentityKind.USER_ID, name, "uk"))
    named = {customer_of(e.profile_id or 0) for e in events() if e.data["trust"] == "confirmed"}
    return [customer for customer in found if customer in named]


STEPS: list[Callable[[Shop], None]] = [
    lambda shop: shop.tell("track", event="Product Viewed", anonymousId="till", properties=MUG),
    lambda shop: shop.tell(
        "identify", shop.server, userId="ann", anonymousId="till", traits={"email": "ann@x.example"}
    ),
    lambda shop: shop.tell(
        "identify", shop.server, userId="bob", anonymousId="till", traits={"email": "bob@x.example"}
    ),
    lambda shop: shop.tell("identify", userId="bob", anonymousId="till", traits={"email": "ann@x.example"}),
    lambda shop: shop.tell("alias", shop.server, userId="bob", previousId="other"),
    lambda shop: shop.tell("track", event="Product Viewed", anonymousId="other", properties=MUG),
]


def test_a_sign_out_that_was_forgotten_glues_nobody_in_whatever_order_it_is_told(shop: Shop) -> None:
    """Ann and Bob on one till, a browser that lies, and a second device of Bob's: the same people in the end."""
    outcomes = set()
    for order in itertools.islice(itertools.permutations(STEPS), 0, None, 180):
        with transaction.atomic():
            for step in (*order, order[0]):
                step(shop)
            [ann], [bob] = user("ann"), user("bob")
            visitors = [customer_of(e.profile_id or 0) for e in events() if e.data["trust"] == "claimed"]
            outcomes.add((ann != bob, ann in visitors, bob in visitors, len(set(visitors))))
            transaction.set_rollback(True)
    assert outcomes == {(True, False, True, 2)}  # the till's visitor is nobody's, the other device is Bob's


def test_ids_that_stand_for_nobody_join_nobody(shop: Shop) -> None:
    for number, nobody in enumerate(("undefined", "null", 0, "[object Object]")):
        shop.tell("identify", shop.server, userId=nobody, anonymousId=f"device-{number}", messageId=f"m{number}")
    assert len(set(customers_of(e.profile_id or 0 for e in events()).values())) == 4
    shop.tell("track", shop.server, event="Product Viewed", userId="undefined", properties=MUG)
    assert [(call, count) for call, _, _, _, is_recorded, count in refusals() if not is_recorded] == [("track", 1)]
    shop.tell("alias", shop.server, userId="ann", previousId="undefined", anonymousId="device-0")
    assert len(set(customers_of(e.profile_id or 0 for e in events()).values())) == 4
