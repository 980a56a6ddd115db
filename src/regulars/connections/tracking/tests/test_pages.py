"""What staff see of it: keys, refusals, the timeline."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command

from regulars.connections.tracking import events as events_module
from regulars.connections.tracking import jobs, keys, panels
from regulars.connections.tracking.models import Refusal, TrackingKey
from regulars.connections.tracking.tests.shop import AT, MUG, Shop, customer_of_user, refusals
from regulars.foundation.access.operations import create_staff
from regulars.foundation.access.viewer import Viewer, everything
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.ids import to_public
from regulars.foundation.inbox.models import Item
from regulars.foundation.shop.models import Store
from regulars.foundation.work.loops import Stop
from regulars.record.customers.models import Customer

pytestmark = pytest.mark.django_db


def test_keys_are_made_in_the_browser_and_by_command_and_shown_once(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    member, _ = create_staff("owner@shop.example", "owner", SYSTEM, AT)
    shop.client.force_login(member)
    made = shop.client.post("/settings/tracking", {"name": "New", "kind": "server", "store": "uk"})
    text = made.context["text"]
    assert text.startswith("wks_")
    assert text not in shop.client.get("/settings/tracking").content.decode()
    refused = shop.client.post("/settings/tracking", {"name": "", "kind": "server", "store": "uk"})
    assert (refused.status_code, TrackingKey.objects.count()) == (400, 3)
    assert shop.client.post("/settings/tracking", {"name": "x", "kind": "server", "store": "de"}).status_code == 400
    assert shop.post("t", {"event": "E", "userId": "u"}, text).status_code == 200
    key = TrackingKey.objects.latest("pk")
    assert shop.client.post(f"/settings/tracking/{key.pk}/revoke").status_code == 302
    keys.forget_remembered()
    assert shop.post("t", {"event": "E", "userId": "u"}, text).status_code == 401
    call_command("tracking_key", "create", "--name", "CLI", "--kind", "browser", "--store", "uk")
    printed = capsys.readouterr().out.strip()
    assert shop.post("t", {"event": "E", "userId": "u"}, printed).status_code == 200
    call_command("tracking_key", "list")
    assert "CLI  browser  uk  in use" in capsys.readouterr().out
    call_command("tracking_key", "revoke", "--name", printed.split("_")[1])
    assert TrackingKey.objects.filter(revoked_at__isnull=False).count() == 2


def test_the_page_of_a_key_shows_what_was_refused_to_its_own_store_only(shop: Shop) -> None:
    shop.post("t", {"event": "E"})
    shop.read()
    other = Store.objects.create(code="de", name="DE", brand=shop.store.brand, currency="EUR")
    owner, _ = create_staff("owner@shop.example", "owner", SYSTEM, AT)
    abroad, _ = create_staff("de@shop.example", "manager", SYSTEM, AT, stores=[other.pk])
    shop.client.force_login(owner)
    page = shop.client.get(f"/settings/tracking/{shop.browser_key.pk}").content.decode()
    assert "No userId and no anonymousId" in page
    assert f"/settings/inbox/{Item.objects.get().pk}" in page
    assert "1 call not recorded" in shop.client.get("/settings/tracking").content.decode()
    shop.client.force_login(abroad)
    assert shop.client.get(f"/settings/tracking/{shop.browser_key.pk}").status_code == 404
    assert shop.client.post(f"/settings/tracking/{shop.browser_key.pk}/revoke").status_code == 404
    assert "Web" not in shop.client.get("/settings/tracking").content.decode().split("<main")[-1]
    assert not TrackingKey.objects.filter(revoked_at__isnull=False).exists()


def test_what_a_shopper_did_stands_in_their_timeline(shop: Shop) -> None:
    assert set(panels.TITLES) == {*events_module.KINDS.values(), *events_module.CALLS.values(), events_module.TRACKED}
    shop.track("Product Viewed", MUG)
    shop.tell("page", anonymousId="anon-1", name="Sale")
    shop.tell("page", anonymousId="anon-1", properties={"path": "/mugs"})
    shop.track("Products Searched", {"query": "red mug"})
    shop.track("Product Reviewed", {"product_id": "10", "rating": 5})
    shop.track("Coupon Applied", {"order_id": "1001", "cart_id": "c", "coupon_id": "SPRING", "discount": 3})
    shop.tell("identify", shop.server, userId="u1", anonymousId="anon-1", traits={"email": "ann@shop.example"})
    [ann] = customer_of_user("u1")
    shown = [(entry.title, entry.detail) for entry in panels.load(ann, everything(), None, 10)]
    assert shown == [
        ("Said who they are", ""),
        ("A coupon was applied", "SPRING"),
        ("Reviewed a product", "10, as a browser says"),
        ("Searched for products", "red mug"),
        ("Looked at a page", "/mugs"),
        ("Looked at a page", "Sale"),
        ("Looked at a product", "Mug"),
    ]
    assert panels.load(ann, Viewer(1, frozenset({"customers.view"}), frozenset({0})), None, 10) == []
    member, _ = create_staff("owner@shop.example", "owner", SYSTEM, AT)
    shop.client.force_login(member)
    public_id = to_public(Customer.PREFIX, Customer.objects.get(pk=ann).uid)
    assert b"Looked at a product" in shop.client.get(f"/customers/{public_id}").content


def test_refusals_are_counts_that_a_flood_cannot_grow_and_that_are_forgotten(shop: Shop) -> None:
    wrong = {"price": "x", "quantity": "y", "position": "z"}
    extras: list[dict[str, Any]] = [{"brand": []}, {"variant": []}, {"brand": [], "variant": []}]
    for extra in extras:
        shop.track("Product Viewed", wrong | extra)
    assert refusals() == [("track", "Product Viewed", "fields of another type", "price, quantity, position …", True, 3)]
    jobs.keep_up(Stop(), AT + timedelta(days=90))
    assert Refusal.objects.count() == 1
    jobs.keep_up(Stop(), AT + timedelta(days=91))
    assert Refusal.objects.count() == 0
