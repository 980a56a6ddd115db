"""Happenings with customers: who they are, what they agree to, and their rights."""

from datetime import datetime
from functools import partial
from typing import Any

from fakes.shopify import payloads
from fakes.shopify.records import Address, Consent, Customer
from fakes.shopify.state import Happened, State


class People(State):
    def add_customer(
        self, email: str | None = None, *, address: dict[str, Any] | None = None, **facts: Any
    ) -> Customer:
        """``facts`` are the fields of ``Customer``."""
        at, number = self.now(), self.next_number()
        customer = Customer(number, at, at, email=email, **facts)
        if address is not None:
            names = {"first_name": customer.first_name, "last_name": customer.last_name}
            customer.addresses.append(Address(self.next_number(), **names | address))
        self.customers[number] = customer
        self.fire(("CUSTOMERS_CREATE", partial(payloads.customer, customer, self.settings)))
        return customer

    def update_customer(self, customer: Customer, **facts: Any) -> None:
        """``tags`` go by their own two topics too: a customer's webhook has had none since 2025-01."""
        old_tags = set(customer.tags)
        for name, value in facts.items():
            if not hasattr(customer, name):
                raise AttributeError(name)
            setattr(customer, name, value)
        self._touch_customer(customer)
        self._tell_tags(customer, old_tags)

    def _touch_customer(self, customer: Customer, *also: Happened) -> None:
        customer.updated_at = self.now()
        self.fire(*also, ("CUSTOMERS_UPDATE", partial(payloads.customer, customer, self.settings)))

    def _tell_tags(self, customer: Customer, old: set[str]) -> None:
        at = payloads.moment(self.now(), self.settings.timezone)
        for topic, tags in (
            ("CUSTOMER_TAGS_ADDED", set(customer.tags) - old),
            ("CUSTOMER_TAGS_REMOVED", old - set(customer.tags)),
        ):
            if tags:
                told = {"customerId": customer.gid, "tags": sorted(tags), "occurredAt": at}
                self.fire((topic, partial(dict, told)))

    def delete_customer(self, customer: Customer) -> None:
        del self.customers[customer.number_of_kind]
        self.fire(("CUSTOMERS_DELETE", lambda: {"id": customer.number_of_kind, "admin_graphql_api_id": customer.gid}))

    def set_consent(
        self,
        customer: Customer,
        state: str,
        *,
        channel: str = "email",
        level: str | None = "SINGLE_OPT_IN",
        at: datetime | None = None,
        collected_from: str | None = None,
    ) -> None:
        """Of ``email`` or ``sms``; ``state`` is one of the schema's. The state of the newest ``at`` holds."""
        old = getattr(customer, f"{channel}_consent")
        new = Consent(state, level, at or self.now(), collected_from or ("OTHER" if channel == "sms" else None))
        if old.updated_at and new.updated_at and new.updated_at < old.updated_at:
            return
        setattr(customer, f"{channel}_consent", new)
        if channel == "email":
            told = (
                "CUSTOMERS_EMAIL_MARKETING_CONSENT_UPDATE",
                partial(payloads.email_consent, customer, self.settings),
            )
        else:
            told = ("CUSTOMERS_MARKETING_CONSENT_UPDATE", partial(payloads.sms_consent, customer, self.settings))
        self._touch_customer(customer, told)

    def merge_customers(self, kept: Customer, gone: Customer) -> None:
        """``gone``'s orders, tags and addresses pass to ``kept``; then its redaction is asked for, though the person stays."""
        self.hand_orders(self.orders_of(gone), kept)
        kept.tags += [tag for tag in gone.tags if tag not in kept.tags]
        kept.addresses += gone.addresses
        kept.email, kept.phone = kept.email or gone.email, kept.phone or gone.phone
        del self.customers[gone.number_of_kind]
        self.fire(
            (
                "CUSTOMERS_MERGE",
                lambda: {
                    "admin_graphql_api_customer_kept_id": kept.gid,
                    "admin_graphql_api_customer_deleted_id": gone.gid,
                    "admin_graphql_api_job_id": None,
                    "status": "completed",
                    "errors": [],
                },
            ),
            ("CUSTOMERS_DELETE", lambda: {"id": gone.number_of_kind, "admin_graphql_api_id": gone.gid}),
        )
        self._touch_customer(kept)
        self._ask_redaction(gone, [])

    def request_data(self, customer: Customer) -> None:
        self.post.emit_compliance(
            "customers/data_request",
            {
                "shop_id": self.settings.number,
                "shop_domain": self.settings.domain,
                "orders_requested": [order.number_of_kind for order in self.orders_of(customer)],
                "customer": _named(customer),
                "data_request": {"id": self.next_number()},
            },
        )

    def redact_customer(self, customer: Customer) -> None:
        """The merchant erases a person: what the shop knows goes, the orders stay without it, and the app is told."""
        orders = self.orders_of(customer)
        self._ask_redaction(customer, [order.number_of_kind for order in orders])
        customer.email = customer.phone = customer.first_name = customer.last_name = customer.note = None
        customer.addresses, customer.tags, customer.is_redacted = [], [], True
        for order in orders:
            order.email = order.phone = order.billing_address = order.shipping_address = order.note = None
            order.updated_at = self.now()
        customer.updated_at = self.now()

    def _ask_redaction(self, customer: Customer, orders: list[int]) -> None:
        self.post.emit_compliance(
            "customers/redact",
            {
                "shop_id": self.settings.number,
                "shop_domain": self.settings.domain,
                "customer": _named(customer),
                "orders_to_redact": orders,
            },
        )

    def uninstall(self) -> None:
        """The merchant takes the app away: its token ends, its subscriptions and pixel go after a last word."""
        self.is_installed = False
        self.fire(("APP_UNINSTALLED", self.shop_payload))
        self.post.subscriptions.clear()
        self.pixel = None

    def redact_shop(self) -> None:
        """Comes 48 hours after the app was taken away."""
        self.post.emit_compliance("shop/redact", {"shop_id": self.settings.number, "shop_domain": self.settings.domain})

    def shop_payload(self) -> dict[str, Any]:
        shop = self.settings
        return {
            "id": shop.number,
            "name": shop.name,
            "email": shop.email,
            "domain": shop.domain,
            "myshopify_domain": shop.domain,
            "country_code": shop.country_code,
            "country_name": shop.country,
            "currency": shop.currency,
            "iana_timezone": shop.timezone,
            "taxes_included": shop.taxes_included,
            "enabled_presentment_currencies": list(shop.presentment_currencies),
            "plan_name": "basic",
        }


def _named(customer: Customer) -> dict[str, Any]:
    return {"id": customer.number_of_kind, "email": customer.email, "phone": customer.phone}
