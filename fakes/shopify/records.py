"""What stands in a fake shop. Names are Shopify's in snake case, so that most fields of the schema find themselves.

Amounts are whole numbers of minor units, moments are aware and in UTC, ids are the numbers inside Shopify's global ids.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from fakes.shopify.amounts import Bag, Currencies


@dataclass
class Record:
    """Anything with an id of its own."""

    KIND: ClassVar[str] = ""
    number_of_kind: int

    @property
    def gid(self) -> str:
        return f"gid://shopify/{self.KIND}/{self.number_of_kind}"


@dataclass
class Address(Record):
    KIND: ClassVar[str] = "MailingAddress"
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    province: str | None = None
    province_code: str | None = None
    country: str | None = None
    country_code: str | None = None
    zip: str | None = None
    phone: str | None = None

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)


@dataclass
class Consent:
    """Of one channel. States and levels are those of the schema."""

    state: str = "NOT_SUBSCRIBED"
    level: str | None = None
    updated_at: datetime | None = None
    collected_from: str | None = None
    is_at_location: bool = False


@dataclass
class Customer(Record):
    KIND: ClassVar[str] = "Customer"
    created_at: datetime
    updated_at: datetime
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    note: str | None = None
    tags: list[str] = field(default_factory=list)
    state: str = "DISABLED"
    locale: str = "en"
    verified_email: bool = True
    tax_exempt: bool = False
    addresses: list[Address] = field(default_factory=list)
    email_consent: Consent = field(default_factory=Consent)
    sms_consent: Consent = field(default_factory=Consent)
    is_redacted: bool = False

    @property
    def default_address(self) -> Address | None:
        return self.addresses[0] if self.addresses else None

    @property
    def display_name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.email or self.phone or ""


@dataclass
class Variant(Record):
    KIND: ClassVar[str] = "ProductVariant"
    item: "InventoryItem"
    created_at: datetime
    updated_at: datetime
    options: dict[str, str]
    price: int
    sku: str | None = None
    barcode: str | None = None
    compare_at_price: int | None = None
    position: int = 1
    taxable: bool = True
    inventory_policy: str = "DENY"

    @property
    def title(self) -> str:
        return " / ".join(self.options.values())


@dataclass
class InventoryItem(Record):
    """``levels`` holds what is available by location."""

    KIND: ClassVar[str] = "InventoryItem"
    created_at: datetime
    updated_at: datetime
    tracked: bool = True
    requires_shipping: bool = True
    grams: int = 200
    unit_cost: int | None = None
    levels: dict[int, int] = field(default_factory=dict)
    level_ids: dict[int, int] = field(default_factory=dict)


@dataclass
class Product(Record):
    KIND: ClassVar[str] = "Product"
    created_at: datetime
    updated_at: datetime
    title: str
    handle: str
    vendor: str = ""
    product_type: str = ""
    description_html: str = ""
    tags: list[str] = field(default_factory=list)
    status: str = "ACTIVE"
    published_at: datetime | None = None
    is_gift_card: bool = False
    image: "Image | None" = None
    variants: list[Variant] = field(default_factory=list)


@dataclass
class Image(Record):
    KIND: ClassVar[str] = "MediaImage"
    url: str
    alt: str | None
    created_at: datetime


@dataclass
class Collection(Record):
    KIND: ClassVar[str] = "Collection"
    updated_at: datetime
    title: str
    handle: str
    description_html: str = ""
    products: list[Product] = field(default_factory=list)


@dataclass
class Location(Record):
    KIND: ClassVar[str] = "Location"
    created_at: datetime
    name: str


@dataclass
class Code(Record):
    KIND: ClassVar[str] = "DiscountRedeemCode"
    code: str
    async_usage_count: int = 0


@dataclass
class Coupon(Record):
    """A discount of codes. ``percentage`` is a share of one (0.1), ``amount`` of the shop's currency; neither: free shipping."""

    KIND: ClassVar[str] = "DiscountCodeNode"
    created_at: datetime
    updated_at: datetime
    starts_at: datetime
    title: str
    codes: list[Code]
    percentage: float | None = None
    amount: int | None = None
    ends_at: datetime | None = None
    usage_limit: int | None = None
    applies_once_per_customer: bool = False
    minimum_subtotal: int | None = None
    minimum_quantity: int | None = None
    combines_with: tuple[str, ...] = ()
    tags: list[str] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    product_numbers: list[int] = field(default_factory=list)
    collection_numbers: list[int] = field(default_factory=list)


@dataclass
class Application:
    """A discount that an order has. Of a percentage ``value`` is its hundredths (10 % is 1000), of an amount minor units."""

    code: str | None
    title: str
    is_percentage: bool
    value: int
    is_on_shipping: bool = False
    index: int = 0


@dataclass
class Tax:
    title: str
    rate: float
    amount: Bag


@dataclass
class Line(Record):
    """``allocations`` are discounts over the whole quantity, by index of the order's application."""

    KIND: ClassVar[str] = "LineItem"
    title: str
    quantity: int
    price: Bag
    variant_title: str | None = None
    product: Product | None = None
    variant: Variant | None = None
    sku: str | None = None
    vendor: str | None = None
    taxable: bool = True
    requires_shipping: bool = True
    is_gift_card: bool = False
    properties: dict[str, str] = field(default_factory=dict)
    allocations: dict[int, Bag] = field(default_factory=dict)
    taxes: list[Tax] = field(default_factory=list)
    removed: int = 0
    is_added_later: bool = False


@dataclass
class Shipping(Record):
    KIND: ClassVar[str] = "ShippingLine"
    title: str
    price: Bag
    code: str | None = None
    allocations: dict[int, Bag] = field(default_factory=dict)
    taxes: list[Tax] = field(default_factory=list)


@dataclass
class Transaction(Record):
    KIND: ClassVar[str] = "OrderTransaction"
    kind: str
    status: str
    amount: Bag
    created_at: datetime
    gateway: str = "shopify_payments"
    parent: "Transaction | None" = None
    is_test: bool = False


@dataclass
class RefundLine(Record):
    KIND: ClassVar[str] = "RefundLineItem"
    line: Line
    quantity: int
    restock_type: str
    subtotal: Bag
    tax: Bag


@dataclass
class Refund(Record):
    """``discrepancy`` is money given back beyond (positive) or below (negative) what lines and shipping come to."""

    KIND: ClassVar[str] = "Refund"
    created_at: datetime
    note: str | None
    lines: list[RefundLine]
    shipping: Bag
    shipping_tax: Bag
    discrepancy: Bag
    transactions: list[Transaction]
    adjustment_number: int = 0


@dataclass
class FulfilmentLine(Record):
    KIND: ClassVar[str] = "FulfillmentLineItem"
    line: Line
    quantity: int


@dataclass
class Fulfilment(Record):
    KIND: ClassVar[str] = "Fulfillment"
    created_at: datetime
    updated_at: datetime
    name: str
    lines: list[FulfilmentLine]
    status: str = "SUCCESS"
    display_status: str = "FULFILLED"
    company: str | None = None
    tracking_numbers: list[str] = field(default_factory=list)
    tracking_urls: list[str] = field(default_factory=list)
    in_transit_at: datetime | None = None
    delivered_at: datetime | None = None


@dataclass
class Order(Record):
    KIND: ClassVar[str] = "Order"
    currencies: Currencies
    number: int
    created_at: datetime
    processed_at: datetime
    updated_at: datetime
    lines: list[Line]
    customer: Customer | None = None
    email: str | None = None
    phone: str | None = None
    shipping: Shipping | None = None
    applications: list[Application] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    fulfilments: list[Fulfilment] = field(default_factory=list)
    billing_address: Address | None = None
    shipping_address: Address | None = None
    taxes_included: bool = True
    test: bool = False
    source_name: str = "web"
    note: str | None = None
    tags: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    customer_locale: str | None = "en"
    landing_page: str | None = None
    referrer: str | None = None
    utm: dict[str, str] = field(default_factory=dict)
    cart_token: str | None = None
    checkout_token: str | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    closed_at: datetime | None = None
    accepts_marketing: bool = False
    edited: bool = False

    @property
    def name(self) -> str:
        return f"#{self.number}"


@dataclass
class CheckoutLine(Record):
    KIND: ClassVar[str] = "AbandonedCheckoutLineItem"
    variant: Variant
    product: Product
    quantity: int
    price: Bag


@dataclass
class Checkout(Record):
    """A checkout that was begun. It is listed among the abandoned ones as soon as it knows how to reach the customer."""

    KIND: ClassVar[str] = "AbandonedCheckout"
    currencies: Currencies
    token: str
    cart_token: str
    created_at: datetime
    updated_at: datetime
    lines: list[CheckoutLine]
    email: str | None = None
    phone: str | None = None
    customer: Customer | None = None
    completed_at: datetime | None = None
    shipping_address: Address | None = None
    discount_codes: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    accepts_marketing: bool = False
    url: str = ""


@dataclass
class Cart:
    """Of the online store. It has a token, not a number."""

    token: str
    created_at: datetime
    updated_at: datetime
    lines: list[CheckoutLine] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    note: str | None = None
