"""What the WordPress plugin sends is a cart of the record, with its link and its person: two doors that meet nowhere else."""

import pytest

from regulars.connections.tracking.tests.conftest import shop
from regulars.connections.tracking.tests.shop import Shop
from regulars.connections.woocommerce.tests.test_plugin import ID, needs_php, run
from regulars.foundation.sealing import Cell, unseal
from regulars.foundation.vault import keys
from regulars.record.carts.models import Cart, CartLine
from regulars.record.customers.inputs import IdentityInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.queries import customer_of, find_by_identity

__all__ = ["shop"]
pytestmark = [pytest.mark.django_db, needs_php]


def test_a_carts_life_in_the_shop_is_its_life_in_the_record(shop: Shop) -> None:
    typed = {"email": "early@people.test", "agreed": "1", "nonce": "nonce-regulars_email"}
    result = run(
        ["cookies", {"regulars_id": ID}],
        ["add", [10, 3]],
        ["end"],
        ["quantity", ["10-0", 2]],
        ["add", [20, 1, 21, {"size": "M"}]],
        ["end"],
        ["page", {"is": "checkout"}],
        ["end"],
        ["typed", typed],
        ["end"],
    )
    for post in result["posts"]:
        for call in post["body"]["batch"]:
            call.pop("timestamp")  # the shop's clock runs, the test's stands still
        shop.tell("batch", shop.server, batch=post["body"]["batch"])

    cart = Cart.objects.get()
    assert (cart.key, cart.state, cart.value_minor) == (result["session"]["regulars_cart"], "checkout", 2 * 1250 + 2000)
    assert set(CartLine.objects.values_list("sku", "quantity", "variant__product__key")) == {
        ("MUG", 2, "10"),
        ("SHIRT-M", 1, "20"),
    }
    profile = cart.profile_id or 0
    link = unseal(
        keys.find_keys([profile])[profile], bytes(cart.recovery_url or b""), Cell("carts_cart", "recovery_url", cart.pk)
    )
    assert link.decode() == result["link"]
    assert find_by_identity(IdentityInput(IdentityKind.EMAIL, "early@people.test")) == [customer_of(profile)]
    assert find_by_identity(IdentityInput(IdentityKind.ANONYMOUS_ID, ID, "uk")) == [customer_of(profile)]
