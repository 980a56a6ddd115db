"""A fake Shopify shop: its Admin GraphQL API, bulk operations, OAuth and webhooks, as their documents say.

    with FakeShopify() as fake:
        tea = fake.shop.add_product("Tea", variants=[{"price": 1299, "sku": "T"}])
        order = fake.shop.add_order([(tea.variants[0], 2)], customer=fake.shop.add_customer("a@people.test"), currency="JPY")
        ... a client asks fake.address with fake.token; fake.clock.advance(minutes=5) ...
        fake.deliver()
        assert what_the_client_has == fake.shop.truth()

The API version that it speaks stands in the head of `schema.graphql`. What the schema, the scopes or the documents do not allow is refused
as Shopify refuses it; what they allow and the fake cannot is refused in words that begin with "The fake".
"""

from fakes.shopify.sales import Wanted
from fakes.shopify.seeding import fill
from fakes.shopify.serving import Courier, FakeShopify
from fakes.shopify.settings import VERSION, App, Clock, Settings
from fakes.shopify.shop import Shop

__all__ = ["VERSION", "App", "Clock", "Courier", "FakeShopify", "Settings", "Shop", "Wanted", "fill"]
