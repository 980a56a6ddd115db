"""What is asked of each kind of thing, as GraphQL. One text serves bulk operations and pages, so that both say the same.

Fields as of the Admin API 2026-10. A bulk operation takes no connection inside a list, so what a refund holds is asked for apart.
"""

from dataclasses import dataclass

MONEY = "{ shopMoney { amount currencyCode } }"
BOTH = "{ shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }"
PAGE_INFO = "pageInfo { hasNextPage endCursor }"

_ADDRESS = "{ firstName lastName name company address1 address2 city zip province provinceCode countryCodeV2 phone }"
_CUSTOMER = """
    id firstName lastName
    defaultEmailAddress { emailAddress }
    defaultPhoneNumber { phoneNumber }
"""
_LINE_OF = f"""
    id sku name requiresShipping
    originalUnitPriceSet {MONEY}
    product {{ id }}
    variant {{ id }}
"""
_TRANSACTION = f"id kind status gateway test createdAt processedAt amountSet {MONEY}"

PRODUCT = """
    id title handle vendor productType status publishedAt createdAt updatedAt
    featuredMedia { preview { image { url } } }
"""
VARIANT = """
    id title sku barcode price compareAtPrice
    inventoryItem { id unitCost { amount currencyCode } }
"""
STOCK = "id"
LEVEL = 'id updatedAt location { id } quantities(names: ["available"]) { name quantity }'
CUSTOMER = f"""
    id firstName lastName note tags createdAt updatedAt
    defaultEmailAddress {{ emailAddress marketingState marketingOptInLevel marketingUpdatedAt }}
    defaultPhoneNumber {{ phoneNumber smsMarketingConsent {{ state optInLevel updatedAt collectedFrom }} }}
    defaultAddress {_ADDRESS}
"""
ORDER = f"""
    id name createdAt processedAt updatedAt cancelledAt test sourceName note customerLocale
    email phone cartToken checkoutToken currencyCode presentmentCurrencyCode taxesIncluded requiresShipping
    displayFinancialStatus displayFulfillmentStatus discountCodes
    totalPriceSet {BOTH}
    subtotalPriceSet {MONEY}
    totalTaxSet {MONEY}
    customer {{ {_CUSTOMER} }}
    billingAddress {_ADDRESS}
    shippingAddress {_ADDRESS}
    transactions {{ {_TRANSACTION} }}
    fulfillments {{ id status displayStatus createdAt updatedAt trackingInfo {{ company number url }} }}
    refunds {{ id }}
"""
LINE = f"""{_LINE_OF}
    quantity
    discountAllocations {{ allocatedAmountSet {MONEY} }}
    taxLines {{ priceSet {MONEY} }}
"""
REFUND = "id createdAt processedAt"
REFUND_LINE = f"""
    quantity
    lineItem {{ {_LINE_OF} }}
    subtotalSet {MONEY}
    totalTaxSet {MONEY}
"""
REFUND_SHIPPING = f"id subtotalAmountSet {MONEY} taxAmountSet {MONEY}"
ADJUSTMENT = f"id amountSet {MONEY} taxAmountSet {MONEY}"
_DISCOUNT = """
    title status startsAt endsAt createdAt updatedAt usageLimit
    context { ... on DiscountCustomers { customers { id } } }
"""
_MINIMUM = """
    minimumRequirement { ... on DiscountMinimumSubtotal { greaterThanOrEqualToSubtotal { amount currencyCode } } }
"""
_VALUE = """
    customerGets { value {
        ... on DiscountPercentage { percentage }
        ... on DiscountAmount { amount { amount currencyCode } }
    } }
"""
DISCOUNTS: dict[str, str] = {
    "DiscountCodeBasic": _DISCOUNT + _MINIMUM + _VALUE,
    "DiscountCodeFreeShipping": _DISCOUNT + _MINIMUM,
    "DiscountCodeBxgy": _DISCOUNT,
    "DiscountCodeApp": _DISCOUNT,
}
CODE = "id code asyncUsageCount"
CHECKOUT = f"""
    id name createdAt updatedAt completedAt abandonedCheckoutUrl
    totalPriceSet {MONEY}
    customer {{ {_CUSTOMER} }}
    billingAddress {_ADDRESS}
    shippingAddress {_ADDRESS}
"""
CHECKOUT_LINE = f"""
    id sku title variantTitle quantity
    originalUnitPriceSet {MONEY}
    product {{ id }}
    variant {{ id }}
"""


@dataclass(frozen=True)
class Inner:
    """A connection of a thing. ``kind`` is the type of what it holds, as ids name it; ``most`` are asked for at once."""

    name: str
    kind: str
    fields: str
    most: int = 25
    is_of_discount: bool = (
        False  # it stands in the discount that a node holds, one connection for each kind of discount
    )
    filter: str = ""  # of its ``query`` argument; '%s' is the moment since which

    def asked(self, arguments: str, body: str) -> str:
        """The connection with its arguments, where it stands in its thing."""
        text = f"{self.name}{arguments} {body}"
        if not self.is_of_discount:
            return text
        parts = " ".join(f"... on {kind} {{ {fields} {text} }}" for kind, fields in DISCOUNTS.items())
        return f"codeDiscount {{ __typename {parts} }}"


@dataclass(frozen=True)
class Collection:
    """One topic: the connection that holds its things, what is asked of each, and how those that changed are found."""

    root: str
    kind: str
    fields: str
    inner: tuple[Inner, ...] = ()
    most: int = 25
    order: str = "ID"  # of pages of everything: what is new meanwhile comes at their end
    order_of_changed: str = "UPDATED_AT"  # of pages of what changed: what changes meanwhile moves to their end
    may_be_hidden: bool = False  # from an app that Shopify lets not have its people's data; then it is empty
    is_filtered: bool = True  # by updated_at; otherwise all things are asked for, and only what is in them is filtered


COLLECTIONS: dict[str, Collection] = {
    "products": Collection("products", "Product", PRODUCT, (Inner("variants", "ProductVariant", VARIANT),), 10),
    # A count that changes touches neither the product nor the item, so levels are asked for by their own time.
    "stock": Collection(
        "inventoryItems",
        "InventoryItem",
        STOCK,
        (Inner("inventoryLevels", "InventoryLevel", LEVEL, 10, filter="updated_at:>='%s'"),),
        20,
        order="",
        order_of_changed="",
        is_filtered=False,
    ),
    "customers": Collection("customers", "Customer", CUSTOMER, most=50),
    "orders": Collection("orders", "Order", ORDER, (Inner("lineItems", "LineItem", LINE, 10),), 5),
    "coupons": Collection(
        "codeDiscountNodes",
        "DiscountCodeNode",
        "id",
        (Inner("codes", "DiscountRedeemCode", CODE, 10, is_of_discount=True),),
        10,
    ),
    # Checkouts cannot be sorted by what changed; their ids rise.
    "checkouts": Collection(
        "abandonedCheckouts",
        "AbandonedCheckout",
        CHECKOUT,
        (Inner("lineItems", "AbandonedCheckoutLineItem", CHECKOUT_LINE, 10),),
        10,
        order_of_changed="ID",
        may_be_hidden=True,  # without the link nobody knows that it is the one that a webhook told of
    ),
}
REFUNDS = Collection(
    "nodes",
    "Refund",
    REFUND,
    (
        Inner("refundLineItems", "RefundLineItem", REFUND_LINE, 20),
        Inner("refundShippingLines", "RefundShippingLine", REFUND_SHIPPING, 5),
        Inner("orderAdjustments", "OrderAdjustment", ADJUSTMENT, 5),
        Inner("transactions", "OrderTransaction", _TRANSACTION, 10),
    ),
    5,
)


def bulk(topic: Collection, since: str) -> str:
    """The document of a bulk operation: no sizes, no pages, all things."""
    inner = " ".join(
        one.asked(_inner_filter(one, since), f"{{ edges {{ node {{ {one.fields} }} }} }}") for one in topic.inner
    )
    return f"{{ {topic.root}{_bulk_filter(topic, since)} {{ edges {{ node {{ {topic.fields} {inner} }} }} }} }}"


def _bulk_filter(topic: Collection, since: str) -> str:
    return f"(query: \"updated_at:>='{since}'\")" if since and topic.is_filtered else ""


def _inner_filter(inner: Inner, since: str, rest: str = "") -> str:
    told = [f'query: "{inner.filter % since}"'] if inner.filter and since else []
    arguments = ", ".join([part for part in (rest, *told) if part])
    return f"({arguments})" if arguments else ""


def page(topic: Collection, since: str, most: int) -> str:
    """The document of one page. Variables: $first, $after, $query."""
    key = topic.order_of_changed if since else topic.order
    order = f", sortKey: {key}" if key else ""
    parts = " ".join(_first_of(one, since, most) for one in topic.inner)
    return (
        "query Page($first: Int!, $after: String, $query: String) { "
        f"{topic.root}(first: $first, after: $after, query: $query{order}) "
        f"{{ nodes {{ {topic.fields} {parts} }} {PAGE_INFO} }} }}"
    )


def _first_of(inner: Inner, since: str, most: int) -> str:
    size = f"first: {min(inner.most, max(1, most))}"
    return inner.asked(_inner_filter(inner, since, size), f"{{ nodes {{ {inner.fields} }} {PAGE_INFO} }}")


def rest(topic: Collection, inner: Inner, since: str, most: int) -> str:
    """The document of a further page of what is in one thing. Variables: $id, $after."""
    arguments = _inner_filter(inner, since, f"first: {most}, after: $after")
    text = inner.asked(arguments, f"{{ nodes {{ {inner.fields} }} {PAGE_INFO} }}")
    return f"query Rest($id: ID!, $after: String) {{ node(id: $id) {{ ... on {topic.kind} {{ id {text} }} }} }}"


def by_ids(topic: Collection, most: int) -> str:
    """The document that asks for things by their ids. Variable: $ids."""
    parts = " ".join(_first_of(one, "", most) for one in topic.inner)
    return f"query ByIds($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {topic.kind} {{ {topic.fields} {parts} }} }} }}"
