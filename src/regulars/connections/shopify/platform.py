"""Shopify: its Admin GraphQL API 2026-10, its webhooks, its bulk operations."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from regulars.connections.base.accounts import is_stand_in
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
    Refused,
    Shop,
    Statements,
    Topic,
    WebhookReport,
    Why,
)
from regulars.connections.shopify import pulling, scopes, signing, webhooks, writing
from regulars.connections.shopify.calls import SERVED_UNTIL, VERSION, Hidden, ask, is_shown
from regulars.connections.shopify.domains import origin_of
from regulars.connections.shopify.mapping.deliveries import PRIVACY, read_delivery
from regulars.connections.shopify.mapping.pages import read_page, things
from regulars.foundation import clock

_SHOP = """
query Shop {
  shop { name currencyCode ianaTimezone myshopifyDomain }
  currentAppInstallation { accessScopes { handle } }
}
"""
# Protected customer data: https://shopify.dev/docs/apps/launch/protected-customer-data. A checkout's link needs all four kinds of it.
_PEOPLE = """
query People {
  customers(first: 1) {
    nodes {
      firstName defaultEmailAddress { emailAddress } defaultPhoneNumber { phoneNumber } defaultAddress { address1 }
    }
  }
}
"""
_LINKS = "query Links { abandonedCheckouts(first: 1) { nodes { abandonedCheckoutUrl } } }"


class Shopify(Platform):
    """A shop on Shopify, through an app of the shop's owner."""

    code = "shopify"
    title = "Shopify"
    fields = (
        Field("client_id", _("Client ID of your app"), is_optional=True),
        Field(
            "client_secret", _("Client secret of your app"), _("Shopify signs what it sends with it."), is_secret=True
        ),
        Field(
            "access_token",
            _("Admin API access token"),
            _("Only for an app that was made in the shop's own admin before 2026: then no client ID is needed."),
            is_secret=True,
            is_optional=True,
        ),
    )
    topics = (
        Topic("products", _("Products")),
        Topic("stock", _("Stock")),
        Topic("customers", _("Customers and consent")),
        Topic("orders", _("Orders")),
        Topic("coupons", _("Discount codes")),
        Topic("checkouts", _("Checkouts left behind")),
    )
    guide = "shopify/guide.html"
    more = "shopify/more.html"
    begin = "shopify-install"
    served_until = SERVED_UNTIL
    signing = "client_secret"
    lasting = PRIVACY

    def check(self, account: Account) -> Shop:
        if not account.credentials.get("client_secret"):
            raise Refused(
                "Give the client secret of your app too: without it nobody could tell Shopify's webhooks from others."
            )
        said = ask(account, _SHOP)
        shop, held = said["shop"], [str(one["handle"]) for one in said["currentAppInstallation"]["accessScopes"]]
        if f"https://{shop['myshopifyDomain']}" != origin_of(account.address) and not is_stand_in(account.address):
            raise Refused("This key is of another shop.")
        missing = scopes.missing(held)
        return Shop(
            str(shop["name"]),
            str(shop["currencyCode"]),
            str(shop["ianaTimezone"]),
            f"API {VERSION}",
            missing if _shows_people(account, held) else (*missing, scopes.KEPT_BACK),
            tuple(sorted(held)),
        )

    def fetch(self, account: Account, topic: str, cursor: str, since: datetime | None, at: datetime) -> Page:
        return pulling.fetch(account, topic, cursor, since)

    def fetch_one(self, account: Account, topic: str, key: str) -> bytes:
        return pulling.fetch_one(account, topic, key)

    def ensure_webhooks(self, account: Account, address: str) -> WebhookReport:
        return webhooks.ensure(account, address)

    def remove_webhooks(self, account: Account, address: str) -> None:
        webhooks.remove(account, address)

    def write_consent(self, account: Account, change: ConsentChange) -> None:
        with _without_waiting(account, "write_customers"):
            writing.write_consent(account, change)

    def make_coupon(self, account: Account, rule: CouponRule) -> str:
        with _without_waiting(account, "write_discounts"):
            return writing.make_coupon(account, rule, clock.now())

    def authenticate(self, account: Account, headers: Mapping[str, str], body: bytes) -> Delivery | None:
        return signing.authenticate(account, headers, body)

    def read(self, account: Account, incoming: Incoming) -> Statements:
        is_webhook = incoming.why == Why.WEBHOOK
        return read_delivery(account, incoming) if is_webhook else read_page(account, incoming)

    def split(self, incoming: Incoming) -> Sequence[bytes]:
        return [incoming.raw.body] if incoming.why == Why.WEBHOOK else things(incoming.raw.body)


def _shows_people(account: Account, held: Sequence[str]) -> bool:
    """Whether nothing of its people is kept from the app; of what its scopes let it see."""
    seen = scopes.held(held)
    asked = [text for topic, text in (("customers", _PEOPLE), ("checkouts", _LINKS)) if scopes.NEEDED[topic] <= seen]
    return all(is_shown(account, text) for text in asked)


@contextmanager
def _without_waiting(account: Account, scope: str) -> Iterator[None]:
    """Nothing waits for a scope that was left out, as the connection's page says: raises Refused then."""
    try:
        yield
    except Hidden as error:
        if scope in pulling.scopes_of(account):
            raise
        raise Refused(str(scopes.SCOPES[scope][1])) from error


PLATFORMS.register(Shopify.code, Shopify())
