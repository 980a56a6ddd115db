"""Whom a call is believed of: what a server confirms, and what a browser only claims."""

import pytest

from regulars.connections.tracking.tests.shop import AT, MUG, Shop, customer_of_user, events, refusals
from regulars.foundation.vault.keys import key_ring
from regulars.record.consent.inputs import ConsentInput
from regulars.record.consent.models import Channel, ConsentEntry, ConsentState
from regulars.record.consent.operations import record_consents
from regulars.record.consent.queries import Addressee, list_verdicts
from regulars.record.customers.identifiers import address_token
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import AttributeValue, IdentityKind, IdentityLink
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.queries import (
    customer_of,
    customers_of,
    find_by_identity,
    profiles_of,
    read_attributes,
    read_cards,
)
from regulars.record.events.log import transaction
from regulars.record.orders.models import Order

pytestmark = pytest.mark.django_db


def test_who_was_nobody_becomes_known_and_what_they_did_before_is_theirs(shop: Shop) -> None:
    shop.track("Product Viewed", MUG)
    shop.tell(
        "identify",
        shop.server,
        userId="u1",
        anonymousId="anon-1",
        traits={"email": "Ann@Shop.example", "firstName": "Ann"},
    )
    owners = set(customers_of(event.profile_id or 0 for event in events()).values())
    assert customer_of_user("u1") == sorted(owners)
    card = read_cards(owners)[owners.pop()]
    assert (card.email, card.first_name) == ("ann@shop.example", "Ann")


def test_a_browser_cannot_change_or_reach_a_customer_that_is_known(shop: Shop) -> None:
    traits = {"email": "ann@shop.example", "firstName": "Ann"}
    shop.tell("identify", shop.server, userId="u1", traits=traits)
    [ann] = customer_of_user("u1")
    before = read_cards([ann])[ann], IdentityLink.objects.filter(profile__customerprofile__customer=ann).count()
    forged = {
        "email": "ann@shop.example",
        "firstName": "Eve",
        "phone": "+447700900123",
        "consent": True,
        "tags": ["VIP"],
    }
    shop.tell("identify", userId="u1", anonymousId="eve", traits=forged)
    shop.tell("identify", userId="u1", traits=forged)
    shop.tell(
        "track",
        event="Order Completed",
        userId="u1",
        anonymousId="eve",
        properties={"order_id": "1", "products": [MUG]},
    )
    shop.tell("alias", userId="u1", previousId="eve")
    eve = set(customers_of(e.profile_id or 0 for e in events() if e.data["trust"] == "claimed").values())
    assert ann not in eve
    assert len(eve) == 2  # the browser 'eve', and whoever only ever said 'u1'
    assert (
        read_cards([ann])[ann],
        IdentityLink.objects.filter(profile__customerprofile__customer=ann).count(),
    ) == before
    assert not ConsentEntry.objects.exists()
    assert not Order.objects.exists()
    assert ("alias", "", "alias from a browser key", "", False, 1) in refusals()
    # eve's own device becomes ann's: what a browser says then is of a customer whom we know, and is not believed
    shop.tell("alias", shop.server, userId="u1", previousId="eve")
    assert read_cards([ann])[ann].first_name == "Ann"
    shop.tell("identify", anonymousId="eve", traits={"firstName": "Mallory"})
    assert read_cards([ann])[ann].first_name == "Ann"


def test_a_visitor_whom_nobody_knows_may_introduce_themselves(shop: Shop) -> None:
    shop.tell("identify", anonymousId="anon-1", traits={"email": "bob@shop.example", "name": "Bob"})
    [customer] = find_by_identity(IdentityInput(IdentityKind.EMAIL, "bob@shop.example"))
    assert read_cards([customer])[customer].name == "Bob"
    trusts = set(IdentityLink.objects.filter(identity__kind="email").values_list("trust", flat=True))
    assert trusts == {"claimed"}
    with transaction("import") as log:
        person = PersonInput((IdentityInput(IdentityKind.EMAIL, "bob@shop.example"),), AT, store_id=shop.store.pk)
        ensure_profiles([person], log)
    assert len(find_by_identity(IdentityInput(IdentityKind.EMAIL, "bob@shop.example"))) == 2  # a claim joins nobody


def test_an_address_that_only_a_browser_claims_is_never_written_to(shop: Shop) -> None:
    said = {"email": "ann@shop.example", "consent": True, "marketing_consent": "granted"}
    shop.tell("identify", shop.server, userId="u1", traits={"email": "ann@shop.example"})
    address = address_token(key_ring(), "ann@shop.example")
    with transaction("api") as log:
        record_consents(
            [ConsentInput("ann@shop.example", ConsentState.GRANTED, AT, "checkout")], shop.store.brand_id, log
        )
    shop.tell(
        "identify", anonymousId="a9", traits=said, context={"consent": {"categoryPreferences": {"Advertising": True}}}
    )
    [ann] = customer_of_user("u1")
    [visitor] = find_by_identity(IdentityInput(IdentityKind.ANONYMOUS_ID, "a9", "uk"))
    assert read_cards([visitor])[visitor].email == "ann@shop.example"
    assert ConsentEntry.objects.count() == 1  # what a browser says of consent is no consent

    def verdicts(customer: int) -> list[tuple[bool, str]]:
        addressee = Addressee(address, tuple(profiles_of([customer])[customer]))
        brand = shop.store.brand_id
        found = [
            list_verdicts({addressee}, brand, Channel.EMAIL, "marketing", is_marketing=is_it) for is_it in (True, False)
        ]
        return [(one[addressee].may, one[addressee].code) for one in found]

    assert verdicts(ann) == [(True, "consent"), (True, "transactional")]
    assert verdicts(visitor) == [(False, "claimed"), (False, "claimed")]
    shop.tell("identify", shop.server, userId="u1", anonymousId="a9")
    assert verdicts(ann) == [(True, "consent"), (True, "transactional")]


def test_a_device_that_two_people_sign_in_on_glues_them_not_together(shop: Shop) -> None:
    shop.track("Product Viewed", MUG)
    shop.tell("identify", shop.server, userId="u1", anonymousId="anon-1")
    visitor = {customer_of(events()[0].profile_id or 0)}
    assert visitor == set(customer_of_user("u1"))
    shop.tell("identify", shop.server, userId="u2", anonymousId="anon-1")
    parts = [set(customer_of_user("u1")), set(customer_of_user("u2")), {customer_of(events()[0].profile_id or 0)}]
    assert len(set.union(*parts)) == 3
    shop.tell("identify", shop.server, userId="u2", traits={"email": "ann@shop.example"})
    shop.tell("identify", shop.server, userId="u1", traits={"email": "ann@shop.example"})
    assert customer_of_user("u1") == customer_of_user("u2") == [customer_of(events()[0].profile_id or 0)]


def test_what_a_server_says_beyond_contact_data_becomes_attributes(shop: Shop) -> None:
    traits = {"email": "ann@shop.example", "plan": "gold", "logins": 7, "score": 1.5, "is_vip": True, "address": {"city": "Ulm"},
              "tags": ["a"], "nothing": None, "card": "4111 1111 1111 1111", "long": "x" * 1_001, "y" * 121: 1}  # fmt: skip
    shop.tell("identify", shop.server, userId="u1", traits=traits)
    [ann] = customer_of_user("u1")
    kept = {"plan": "gold", "logins": 7, "score": 1.5, "is_vip": True, "card": "[card …1111]"}
    assert read_attributes(ann) == kept
    shop.tell("identify", shop.server, userId="u1", traits=traits | {"plan": "blue"})
    assert read_attributes(ann) == kept | {"plan": "blue"}
    count = AttributeValue.objects.count()
    assert count == len(kept) + 1  # what was known already is not written again
    shop.tell("identify", userId="u1", anonymousId="a1", traits=traits | {"plan": "free"})
    shop.tell("group", shop.server, userId="u1", groupId="g1", traits={"plan": "of a group"})
    assert AttributeValue.objects.count() == count
    assert read_attributes(ann) == kept | {"plan": "blue"}
