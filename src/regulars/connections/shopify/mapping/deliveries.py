"""What a webhook says, by its topic. Times that a payload lacks are those at which Shopify says that it happened."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from regulars.connections.base.platforms import Account, Incoming, PersonGone, PrivacyRequest, Statements, Wanted
from regulars.connections.shopify.mapping import carts, orders, people, products, refunds, rest
from regulars.connections.shopify.mapping.exchanging import paid_back
from regulars.connections.shopify.mapping.pages import parse
from regulars.connections.shopify.mapping.values import Node, amount, kind_of, moment, number_of, text, whole
from regulars.connections.shopify.selections import COLLECTIONS
from regulars.connections.shopify.signing import header
from regulars.foundation.money import parse_currency
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.catalog.inputs import ProductRemoval, StockInput
from regulars.record.consent.models import Channel
from regulars.record.coupons.inputs import CouponRemoval
from regulars.record.customers.inputs import PersonInput
from regulars.record.orders.inputs import OrderRemoval

Reader = Callable[[Account, Node, datetime], Statements]
# Asked for in customers' names; the last of them comes two days after the app was removed.
PRIVACY = frozenset({"customers/data_request", "customers/redact", "shop/redact"})


def _order(account: Account, said: Node, _at: datetime) -> Statements:
    """All of it but its payments."""
    one = orders.order(account, rest.order(said))
    return Statements(orders=[one], wanted=[Wanted("orders", one.external_id)])


def _order_gone(_account: Account, said: Node, at: datetime) -> Statements:
    return Statements(orders_gone=[OrderRemoval(at, external_id=number_of(said["id"]))])


def _refund(_account: Account, said: Node, _at: datetime) -> Statements:
    """The order's own webhook tells it too; whichever comes first. One without money in the shop's currency leaves it to that."""
    if not said.get("transactions"):
        return Statements()
    currency = parse_currency(rest.currency_of(said))
    if paid_back(said, currency, None) is None:
        return Statements()
    one = refunds.refund(rest.refund(said, currency), currency)
    return Statements(
        refunds=[replace(one, order_external_id=number_of(said["order_id"]), stated_at=one.occurred_at)]
        if one.amount_minor
        else []
    )


def _customer(account: Account, said: Node, _at: datetime) -> Statements:
    node = rest.customer(said)
    return Statements(people=[people.customer(account, node)], consents=list(people.consents(account, node)))


def _customer_gone(account: Account, said: Node, at: datetime) -> Statements:
    return Statements(people_gone=[PersonGone(people.customer_identity(account, number_of(said["id"])), at)])


def _tags(account: Account, said: Node, at: datetime) -> Statements:
    identity = people.customer_identity(account, number_of(said["customerId"]))
    tags = tuple(filter(None, (text(tag, 60) for tag in said["tags"])))
    return Statements(people=[PersonInput((identity,), at, account.store_id, evidence=people.EVIDENCE, tags=tags)])


def _mail_consent(account: Account, said: Node, at: datetime) -> Statements:
    word = said["email_marketing_consent"]
    address = said.get("email_address") or said.get("email")
    told = people.consent(
        account,
        Channel.EMAIL,
        address,
        word["state"],
        word.get("opt_in_level"),
        word.get("consent_updated_at") or at.isoformat(),
    )
    return Statements(consents=list(told))


def _text_consent(account: Account, said: Node, at: datetime) -> Statements:
    word = rest.sms_consent(said["sms_marketing_consent"]) or {}
    told = people.consent(
        account,
        Channel.SMS,
        said.get("phone"),
        word.get("state"),
        word.get("optInLevel"),
        word.get("updatedAt") or at.isoformat(),
        word.get("collectedFrom"),
    )
    return Statements(consents=list(told))


def _product(account: Account, said: Node, _at: datetime) -> Statements:
    return Statements(products=[products.product(account, rest.product(said))])


def _product_gone(_account: Account, said: Node, at: datetime) -> Statements:
    return Statements(products_gone=[ProductRemoval(number_of(said["id"]), at)])


def _stock(_account: Account, said: Node, _at: datetime) -> Statements:
    """Nothing is counted where the count is null."""
    if said.get("available") is None:
        return Statements()
    place, item = number_of(said["location_id"]), number_of(said["inventory_item_id"])
    return Statements(stocks=[StockInput(whole(said["available"]), moment(said["updated_at"]), place, item)])


def _discount(_account: Account, said: Node, _at: datetime) -> Statements:
    """That there is one or that it changed, and not what it does. One that needs no code is nobody's coupon."""
    gid = text(said["admin_graphql_api_id"])
    return Statements(wanted=[Wanted("coupons", number_of(gid))] if kind_of(gid) == COLLECTIONS["coupons"].kind else [])


def _discount_gone(_account: Account, said: Node, at: datetime) -> Statements:
    return Statements(coupons_gone=[CouponRemoval(at, external_id=number_of(said["admin_graphql_api_id"]))])


def _code_gone(_account: Account, said: Node, at: datetime) -> Statements:
    return Statements(coupons_gone=[CouponRemoval(at, code=text(said["redeem_code"]["code"], 120))])


def _checkout(account: Account, said: Node, _at: datetime) -> Statements:
    found = carts.checkout(account, rest.checkout(said))
    return Statements(carts=[found] if found else [])


def _checkout_gone(account: Account, said: Node, at: datetime) -> Statements:
    key = text(said.get("token"), 120) or number_of(said["id"])
    return Statements(carts=[CartInput(key, at, account.currency, is_closed=True)])


def _cart(account: Account, said: Node, _at: datetime) -> Statements:
    """A cart of somebody whom nobody knows yet; the checkout that is made of it names it."""
    sets = [one["price_set"]["shop_money"] for one in said["line_items"]]
    currency = parse_currency(text(sets[0]["currency_code"])) if sets else account.currency
    cart = CartInput(
        text(said["token"], 120), moment(said["updated_at"]), currency, tuple(map(_cart_line, said["line_items"]))
    )
    return Statements(carts=[cart])


def _cart_line(said: Node) -> CartLineInput:
    price = amount({"shopMoney": said["price_set"]["shop_money"]})
    names = (number_of(said.get("product_id")), number_of(said.get("variant_id")))
    title = text(said.get("title"), 1000).removesuffix(" - Default Title")
    return CartLineInput(text(said.get("sku"), 120), title, whole(said["quantity"]), price, *names)


def _over(_account: Account, _said: Node, _at: datetime) -> Statements:
    return Statements(is_over=True)


def _asks(kind: str, listed: str) -> Reader:
    def read(account: Account, said: Node, at: datetime) -> Statements:
        """By the shop's own number, never by mail: a shop that joins two accounts asks for the old one to be erased, and the one that
        stays has the same address."""
        number = number_of((said.get("customer") or {}).get("id"))
        identity = people.customer_identity(account, number) if number else None
        asked = tuple(number_of(one) for one in said.get(listed) or ())
        reference = (
            number_of((said.get("data_request") or {}).get("id"))
            or number
            or f"{said.get('shop_id', '')} {at:%Y-%m-%d} {','.join(asked)}".strip()  # one that names nobody may come again
        )
        return Statements(requests=[PrivacyRequest(kind, at, identity, asked, reference[:120])])

    return read


def _nothing(_account: Account, _said: Node, _at: datetime) -> Statements:
    """It says that something changed and not how: the next look at what changed brings it."""
    return Statements()


READERS: dict[str, Reader] = {
    "orders/create": _order,
    "orders/updated": _order,
    "orders/cancelled": _order,
    "orders/paid": _order,
    "orders/fulfilled": _order,
    "orders/partially_fulfilled": _order,
    "orders/delete": _order_gone,
    "refunds/create": _refund,
    "customers/create": _customer,
    "customers/update": _customer,
    "customers/enable": _customer,
    "customers/disable": _customer,
    "customers/delete": _customer_gone,
    "customer.tags_added": _tags,
    "customers_email_marketing_consent/update": _mail_consent,
    "customers_marketing_consent/update": _text_consent,
    "products/create": _product,
    "products/update": _product,
    "products/delete": _product_gone,
    "inventory_levels/update": _stock,
    "inventory_levels/connect": _stock,
    "discounts/create": _discount,
    "discounts/update": _discount,
    "discounts/delete": _discount_gone,
    "discounts/redeemcode_removed": _code_gone,
    "checkouts/create": _checkout,
    "checkouts/update": _checkout,
    "checkouts/delete": _checkout_gone,
    "carts/create": _cart,
    "carts/update": _cart,
    "app/uninstalled": _over,
    "customers/data_request": _asks("export", "orders_requested"),
    "customers/redact": _asks("erase", "orders_to_redact"),
    "shop/redact": _asks("erase-shop", ""),
    # An app may be subscribed to these by its own configuration.
    "orders/edited": _nothing,
    "order_transactions/create": _nothing,
    "fulfillments/create": _nothing,
    "fulfillments/update": _nothing,
    "fulfillment_events/create": _nothing,
    "discounts/redeemcode_added": _nothing,
    "inventory_items/create": _nothing,
    "inventory_items/update": _nothing,
    "inventory_items/delete": _nothing,
    "inventory_levels/disconnect": _nothing,
    "customer.tags_removed": _nothing,
    "customers/merge": _nothing,
    "app/scopes_update": _nothing,
    "shop/update": _nothing,
    "bulk_operations/finish": _nothing,
}


def read_delivery(account: Account, incoming: Incoming) -> Statements:
    """Raises ValueError for an unknown topic, and one of ``STRANGE`` for a body that is not as documented."""
    reader = READERS.get(incoming.topic)
    if reader is None:
        raise ValueError("unknown topic")
    triggered = header(incoming.raw.headers, "triggered-at")
    at = moment(triggered) if triggered else incoming.raw.received_at
    return reader(account, parse(incoming.raw.body), at)
