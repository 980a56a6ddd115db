"""WooCommerce, as the base sees it: what each of a platform's methods is here, and where it is done."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from regulars.connections.base.platforms import (
    PLATFORMS,
    Account,
    ConsentChange,
    CouponRule,
    Delivery,
    Field,
    Incoming,
    Page,
    Platform,
    Shop,
    Statements,
    Topic,
    WebhookReport,
)
from regulars.connections.woocommerce import checking, connecting, fetching, hooks, reading, telling


class WooCommerce(Platform):
    """REST API version 3 of WooCommerce 5.8 and later, which can be asked for what was modified."""

    code = "woocommerce"
    title = "WooCommerce"
    fields = (
        Field("consumer_key", _("Consumer key"), _("begins with ck_")),
        Field(
            "consumer_secret", _("Consumer secret"), _("begins with cs_; the shop shows it only once"), is_secret=True
        ),
    )
    topics = (
        Topic("products", _("Products")),
        Topic("customers", _("Customers")),
        Topic("coupons", _("Coupons")),
        Topic("orders", _("Orders")),
        Topic("trashed-products", _("Products in the trash")),
        Topic("trashed-orders", _("Orders in the trash")),
    )
    guide = "woocommerce/guide.html"
    begin = "woocommerce-begin"
    more = "woocommerce/more.html"

    def can_begin(self) -> bool:
        return connecting.can_be_told()

    def check(self, account: Account) -> Shop:
        return checking.check(account)

    def fetch(self, account: Account, topic: str, cursor: str, since: datetime | None, at: datetime) -> Page:
        return fetching.fetch(account, topic, cursor, since, at)

    def fetch_one(self, account: Account, topic: str, key: str) -> bytes:
        return fetching.fetch_one(account, topic, key)

    def ensure_webhooks(self, account: Account, address: str) -> WebhookReport:
        return hooks.ensure_webhooks(account, address)

    def remove_webhooks(self, account: Account, address: str) -> None:
        hooks.remove_webhooks(account)

    def write_consent(self, account: Account, change: ConsentChange) -> None:
        telling.write_consent(account, change)

    def make_coupon(self, account: Account, rule: CouponRule) -> str:
        return telling.make_coupon(account, rule)

    def authenticate(self, account: Account, headers: Mapping[str, str], body: bytes) -> Delivery | None:
        return hooks.authenticate(account, headers, body)

    def read(self, account: Account, incoming: Incoming) -> Statements:
        return reading.read(account, incoming)

    def split(self, incoming: Incoming) -> Sequence[bytes]:
        return reading.split(incoming)


PLATFORMS.register(WooCommerce.code, WooCommerce())
