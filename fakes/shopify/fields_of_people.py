"""How customers, addresses and consents are read."""

from fakes.shopify import sums
from fakes.shopify.context import Asking, Fields, Json, moment, money
from fakes.shopify.records import Consent, Customer

SMS_STATES = {"NOT_SUBSCRIBED": "NEVER_SUBSCRIBED"}


def _email(of: Customer, ask: Asking) -> Json | None:
    if not of.email:
        return None
    link = f"https://{ask.shop.settings.domain}/account/unsubscribe/{of.number_of_kind}"
    consent = of.email_consent
    return {
        "emailAddress": of.email,
        "marketingState": consent.state,
        "marketingOptInLevel": consent.level,
        "marketingUpdatedAt": moment(consent.updated_at),
        "marketingUnsubscribeUrl": link,
        "openTrackingLevel": "UNKNOWN",
        "openTrackingUrl": link,
        "sourceLocation": _place(consent, ask),
        "validFormat": True,
    }


def _phone(of: Customer, ask: Asking) -> Json | None:
    if not of.phone:
        return None
    consent = of.sms_consent
    told = {
        "collectedFrom": consent.collected_from,
        "optInLevel": consent.level,
        "sourceLocation": _place(consent, ask),
        "updatedAt": moment(consent.updated_at),
    }
    return {
        "phoneNumber": of.phone,
        "marketingCollectedFrom": consent.collected_from,
        "marketingOptInLevel": consent.level,
        "marketingState": consent.state,
        "marketingUpdatedAt": moment(consent.updated_at),
        "sourceLocation": _place(consent, ask),
        "smsMarketingConsent": {
            "__typename": "CustomerSmsMarketingConsent",
            "state": SMS_STATES.get(consent.state, consent.state),
            **told,
        },
        "whatsAppMarketingConsent": {
            "__typename": "CustomerWhatsAppMarketingConsent",
            "state": "NEVER_SUBSCRIBED",
        },
    }


def _place(of: Consent, ask: Asking) -> object:
    return ask.shop.till if of.is_at_location else None


def _state(of: Consent) -> Json:
    """In the older form, which has fewer optional fields."""
    return {
        "marketingState": of.state,
        "marketingOptInLevel": of.level or "UNKNOWN",
        "consentUpdatedAt": moment(of.updated_at),
        "consentCollectedFrom": of.collected_from,
    }


def _spent(of: Customer, ask: Asking) -> Json:
    orders = [order for order in ask.shop.orders_of(of) if not order.test]
    return money(sum((sums.received(one) - sums.refunded(one)).shop for one in orders), ask.currency)


def _orders(of: Customer, ask: Asking) -> list[object]:
    return [order for order in ask.shop.orders_of(of) if ask.sees(order)]


FIELDS: Fields = {
    "Customer": {
        "addresses": lambda of, ask: of.addresses,
        "addressesV2": lambda of, ask: of.addresses,
        "amountSpent": _spent,
        "canDelete": lambda of, ask: not ask.shop.orders_of(of),
        "dataSaleOptOut": lambda of, ask: False,
        "defaultEmailAddress": _email,
        "defaultPhoneNumber": _phone,
        "emailMarketingConsent": lambda of, ask: _state(of.email_consent) if of.email else None,
        "smsMarketingConsent": lambda of, ask: _state(of.sms_consent) if of.phone else None,
        "lastOrder": lambda of, ask: (_orders(of, ask) or [None])[-1],
        "lifetimeDuration": lambda of, ask: "about 1 year",
        "mergeable": lambda of, ask: {"isMergeable": True, "errorFields": [], "reason": None},
        "numberOfOrders": lambda of, ask: len(ask.shop.orders_of(of)),
        "orders": _orders,
        "productSubscriberStatus": lambda of, ask: "NEVER_SUBSCRIBED",
        "statistics": lambda of, ask: {},
        "unsubscribeUrl": lambda of, ask: f"https://{ask.shop.settings.domain}/account/unsubscribe/{of.number_of_kind}",
        "validEmailAddress": lambda of, ask: bool(of.email),
    },
    "MailingAddress": {
        "coordinatesValidated": lambda of, ask: False,
        "countryCodeV2": lambda of, ask: of.country_code,
        "formatted": lambda of, ask: [part for part in (of.address1, of.address2, of.city, of.zip, of.country) if part],
        "formattedArea": lambda of, ask: ", ".join(part for part in (of.city, of.country) if part),
    },
}
