"""What an app may change: consents, codes, webhook subscriptions, its pixel, bulk operations, its own end."""

import json
import tomllib
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fakes.shopify import bulk
from fakes.shopify.amounts import exponent, rounded
from fakes.shopify.context import Asking, Field, Json
from fakes.shopify.records import Customer
from fakes.shopify.roots import pixel
from fakes.shopify.webhooks import TOPICS, Subscription

SETTABLE = ("SUBSCRIBED", "UNSUBSCRIBED", "PENDING")
EXTENSION = Path(__file__).parents[2] / "src/regulars/connections/shopify/pixel/shopify.extension.toml"


def _error(message: str, *path: str, code: str | None = None) -> Json:
    return {"__typename": "UserError", "field": list(path) or None, "message": message, "code": code}


def _number(gid: str) -> int:
    tail = gid.rsplit("/", 1)[-1].partition("?")[0]
    return int(tail) if tail.isdigit() else 0


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _consent(channel: str) -> Field:
    """Both channels alike: the person must be there and have an address of the channel; the newest statement holds."""

    def change(root: Any, ask: Asking) -> Json:
        given = ask.arguments["input"]
        wanted = given[f"{channel}MarketingConsent"]
        customer = ask.shop.customers.get(_number(given["customerId"]))
        error = _consent_error(customer, channel, wanted, ask)
        if error or customer is None:
            return {"customer": None, "userErrors": [error]}
        level, at = wanted.get("marketingOptInLevel"), _moment(wanted.get("consentUpdatedAt"))
        ask.shop.set_consent(
            customer,
            wanted["marketingState"],
            channel=channel,
            level=level or "SINGLE_OPT_IN",
            at=at,
            collected_from="OTHER",
        )
        return {"customer": customer, "userErrors": []}

    return change


def _consent_error(customer: Customer | None, channel: str, wanted: Json, ask: Asking) -> Json | None:
    path = ("input", f"{channel}MarketingConsent", "marketingState")
    if customer is None:
        return _error("Customer not found", "input", "customerId", code="INVALID")
    if not (customer.email if channel == "email" else customer.phone):
        what = "an email address" if channel == "email" else "a phone number"
        return _error(f"The customer must have {what}", *path, code="MISSING_ARGUMENT")
    if wanted["marketingState"] not in SETTABLE:
        return _error(f"Cannot specify {wanted['marketingState']} as a marketing state input", *path, code="INVALID")
    at = _moment(wanted.get("consentUpdatedAt"))
    if at and at > ask.shop.now():
        return _error("Consent updated at must be in the past", *path[:2], "consentUpdatedAt", code="INVALID")
    return None


def _create_coupon(root: Any, ask: Asking) -> Json:
    given, path = ask.arguments["basicCodeDiscount"], "basicCodeDiscount"
    errors = _coupon_errors(given, ask)
    if errors:
        return {"codeDiscountNode": None, "userErrors": errors}
    gets, minimum = given["customerGets"], given.get("minimumRequirement") or {}
    context, items = given.get("context") or {}, gets.get("items") or {}
    try:
        facts = _worth(gets["value"], ask)
    except ValueError as error:
        return {
            "codeDiscountNode": None,
            "userErrors": [_error(str(error), path, "customerGets", "value", code="INVALID")],
        }
    customers = [ask.shop.customers.get(_number(one)) for one in (context.get("customers") or {}).get("add", [])]
    products, collections = items.get("products") or {}, items.get("collections") or {}
    coupon = ask.shop.add_coupon(
        given["code"],
        title=given["title"],
        starts_at=_moment(given["startsAt"]),
        ends_at=_moment(given.get("endsAt")),
        usage_limit=given.get("usageLimit"),
        applies_once_per_customer=bool(given.get("appliesOncePerCustomer")),
        minimum_subtotal=_minor((minimum.get("subtotal") or {}).get("greaterThanOrEqualToSubtotal"), ask),
        minimum_quantity=_count((minimum.get("quantity") or {}).get("greaterThanOrEqualToQuantity")),
        combines_with=tuple(
            n.removesuffix("Discounts") for n, is_so in (given.get("combinesWith") or {}).items() if is_so
        ),
        tags=list(given.get("tags") or []),
        customers=[one for one in customers if one is not None],
        product_numbers=[_number(one) for one in products.get("productsToAdd") or []],
        collection_numbers=[_number(one) for one in collections.get("add") or []],
        **facts,
    )
    return {"codeDiscountNode": coupon, "userErrors": []}


def _coupon_errors(given: Json, ask: Asking) -> list[Json]:
    path = "basicCodeDiscount"
    errors = [
        _error(f"{name} can't be blank", path, name, code="BLANK")
        for name in ("title", "code", "startsAt")
        if not given.get(name)
    ]
    if not (given.get("customerGets") or {}).get("value"):
        errors.append(_error("Customer gets can't be blank", path, "customerGets", code="BLANK"))
    if not given.get("context") and not given.get("customerSelection"):
        errors.append(_error("Context can't be blank", path, "context", code="BLANK"))
    if given.get("code") and ask.shop.coupon_by_code(given["code"]):
        errors.append(_error("Code must be unique. Please try a different code.", path, "code", code="TAKEN"))
    if given.get("endsAt") and given.get("startsAt") and _moment(given["endsAt"]) <= _moment(given["startsAt"]):  # type: ignore[operator]
        errors.append(_error("Ends at needs to be after starts at", path, "endsAt", code="END_DATE_BEFORE_START_DATE"))
    return errors


def _worth(value: Json, ask: Asking) -> Json:
    if value.get("percentage") is not None:
        if not 0 < value["percentage"] <= 1:
            raise ValueError("Percentage must be more than 0 and at most 1")
        return {"percentage": value["percentage"]}
    amount = (value.get("discountAmount") or {}).get("amount")
    if amount is None:
        raise ValueError("Value must be a percentage or an amount")
    return {"amount": _minor(amount, ask)}


def _minor(amount: object, ask: Asking) -> int | None:
    return None if amount is None else rounded(Fraction(str(amount)) * 10 ** exponent(ask.currency))


def _count(text: object) -> int | None:
    return None if text is None else int(str(text))


def _end_coupon(root: Any, ask: Asking) -> Json:
    coupon = ask.shop.coupons.get(_number(ask.arguments["id"]))
    if coupon is None:
        return {"codeDiscountNode": None, "userErrors": [_error("Code discount does not exist.", "id", code="INVALID")]}
    ask.shop.end_coupon(coupon)
    return {"codeDiscountNode": coupon, "userErrors": []}


def _add_codes(root: Any, ask: Asking) -> Json:
    """Taken codes fail one by one, the others are added: here at once, in a real shop a little later."""
    coupon = ask.shop.coupons.get(_number(ask.arguments["discountId"]))
    wanted = [one["code"] for one in ask.arguments["codes"]]
    if coupon is None:
        return {"bulkCreation": None, "userErrors": [_error("Discount does not exist.", "discountId", code="INVALID")]}
    known = [(code, _add_code(coupon, code, ask)) for code in wanted]
    gid = f"gid://shopify/DiscountRedeemCodeBulkCreation/{ask.shop.next_number()}"
    taken = _error("Code must be unique. Please try a different code.", "code", code="TAKEN")
    creation = {
        "__typename": "DiscountRedeemCodeBulkCreation",
        "id": gid,
        "codes": [{"code": code, "discountRedeemCode": one, "errors": [] if one else [taken]} for code, one in known],
        "codesCount": len(known),
        "createdAt": ask.shop.now(),
        "discountCode": coupon,
        "done": True,
        "failedCount": sum(one is None for _, one in known),
        "importedCount": sum(one is not None for _, one in known),
    }
    ask.bulk.code_creations[gid] = creation
    return {"bulkCreation": creation, "userErrors": []}


def _add_code(coupon: Any, code: str, ask: Asking) -> Any:
    return None if ask.shop.coupon_by_code(code) else ask.shop.add_codes(coupon, code)[0]


def _subscribe(root: Any, ask: Asking) -> Json:
    topic, given = ask.arguments["topic"], ask.arguments["webhookSubscription"]
    uri = given.get("uri") or given.get("callbackUrl")
    error = _subscription_error(topic, uri, given, ask)
    if error:
        return {"webhookSubscription": None, "userErrors": [error]}
    at, shop = ask.shop.now(), ask.shop
    subscription = Subscription(shop.next_number(), topic, uri, at, at)
    _configure(subscription, given)
    shop.post.subscriptions.append(subscription)
    return {"webhookSubscription": subscription, "userErrors": []}


def _subscription_error(topic: str, uri: str | None, given: Json, ask: Asking) -> Json | None:
    path = ("webhookSubscription", "callbackUrl")
    if not uri or urlsplit(uri).scheme not in (
        "http",
        "https",
    ):  # http is the fake's own leave: it listens on 127.0.0.1
        return _error("Address is invalid", *path)
    if topic not in TOPICS:
        return _error(f"The fake never fires {topic}: add it to webhooks.TOPICS", "topic")
    scopes = TOPICS[topic][1]
    if scopes and ask.scopes.isdisjoint(scopes):
        return _error("You cannot create a webhook subscription with the specified topic", "topic")
    if given.get("filter"):
        return _error("The fake does not know filters of subscriptions", "webhookSubscription", "filter")
    if any(one.topic == topic and one.uri == uri for one in ask.shop.post.subscriptions):
        return _error("Address for this topic has already been taken", *path)
    return None


def _configure(subscription: Subscription, given: Json) -> None:
    subscription.uri = given.get("uri") or given.get("callbackUrl") or subscription.uri
    subscription.include_fields = list(given.get("includeFields") or subscription.include_fields)
    subscription.metafield_namespaces = list(given.get("metafieldNamespaces") or subscription.metafield_namespaces)
    subscription.name = given.get("name") or subscription.name
    subscription.format = given.get("format") or subscription.format


def _change_subscription(root: Any, ask: Asking) -> Json:
    found = _subscription(ask)
    if found is None:
        return {"webhookSubscription": None, "userErrors": [_error("Webhook subscription does not exist", "id")]}
    _configure(found, ask.arguments["webhookSubscription"])
    found.updated_at = ask.shop.now()
    return {"webhookSubscription": found, "userErrors": []}


def _unsubscribe(root: Any, ask: Asking) -> Json:
    found = _subscription(ask)
    if found is None:
        missing = _error("Webhook subscription does not exist", "id")
        return {"deletedWebhookSubscriptionId": None, "userErrors": [missing]}
    ask.shop.post.subscriptions.remove(found)
    return {"deletedWebhookSubscriptionId": found.gid, "userErrors": []}


def _subscription(ask: Asking) -> Subscription | None:
    number = _number(ask.arguments["id"])
    return next((one for one in ask.shop.post.subscriptions if one.number_of_kind == number), None)


def _set_pixel(root: Any, ask: Asking) -> Json:
    """One pixel for an app and shop; its settings are those that the extension's file declares."""
    is_new, known = "id" not in ask.arguments, ask.shop.pixel
    if is_new and known:
        return {"webPixel": None, "userErrors": [_error("Web pixel is taken.", "webPixel", code="TAKEN")]}
    if not is_new and (known is None or _number(ask.arguments["id"]) != known[0]):
        return {"webPixel": None, "userErrors": [_error("Web pixel not found.", "id", code="NOT_FOUND")]}
    settings = _pixel_settings(ask.arguments["webPixel"]["settings"])
    if settings is None:
        wrong = _error("Settings do not match those of the extension.", "settings", code="INVALID_SETTINGS")
        return {"webPixel": None, "userErrors": [wrong]}
    ask.shop.pixel = (known[0] if known else ask.shop.next_number(), settings)
    return {"webPixel": pixel(ask), "userErrors": []}


def _pixel_settings(given: object) -> Json | None:
    """As an object or as a text of JSON; None where they are not those that the extension's own file declares, all of them."""
    try:
        told = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        return None
    declared = tomllib.loads(EXTENSION.read_text(encoding="utf-8"))["settings"]["fields"]
    if not isinstance(told, dict) or told.keys() != declared.keys() or not all(told.values()):
        return None
    return told


def _remove_pixel(root: Any, ask: Asking) -> Json:
    known = ask.shop.pixel
    if known is None or _number(ask.arguments["id"]) != known[0]:
        return {"deletedWebPixelId": None, "userErrors": [_error("Web pixel not found.", "id", code="NOT_FOUND")]}
    ask.shop.pixel = None
    return {"deletedWebPixelId": f"gid://shopify/WebPixel/{known[0]}", "userErrors": []}


def _run_bulk(root: Any, ask: Asking) -> Json:
    query, running = ask.arguments["query"], ask.bulk.running()
    if len(running) >= bulk.MOST_RUNNING:
        message = f"A bulk query operation for this app and shop is already in progress: {running[0].gid}."
        return {"bulkOperation": None, "userErrors": [_error(message, code="OPERATION_IN_PROGRESS")]}
    if why := ask.bulk.refusal(query):
        return {"bulkOperation": None, "userErrors": [_error(why, "query", code="INVALID")]}
    begun = ask.bulk.begin(ask.shop.next_number(), query, is_grouped=ask.arguments["groupObjects"])
    return {"bulkOperation": begun, "userErrors": []}


def _cancel_bulk(root: Any, ask: Asking) -> Json:
    operation = ask.bulk.operations.get(_number(ask.arguments["id"]))
    if operation is None:
        return {"bulkOperation": None, "userErrors": [_error("Bulk operation does not exist", "id", code="INVALID")]}
    if not operation.is_running:
        message = f"A bulk operation cannot be canceled when it is {operation.status.lower()}"
        return {"bulkOperation": operation, "userErrors": [_error(message, "id", code="INVALID")]}
    operation.status = "CANCELING"
    return {"bulkOperation": operation, "userErrors": []}


def _uninstall(root: Any, ask: Asking) -> Json:
    ask.shop.uninstall()
    return {"app": None, "userErrors": []}


MUTATIONS: dict[str, Field] = {
    "appUninstall": _uninstall,
    "bulkOperationCancel": _cancel_bulk,
    "bulkOperationRunQuery": _run_bulk,
    "customerEmailMarketingConsentUpdate": _consent("email"),
    "customerSmsMarketingConsentUpdate": _consent("sms"),
    "discountCodeBasicCreate": _create_coupon,
    "discountCodeDeactivate": _end_coupon,
    "discountRedeemCodeBulkAdd": _add_codes,
    "webPixelCreate": _set_pixel,
    "webPixelDelete": _remove_pixel,
    "webPixelUpdate": _set_pixel,
    "webhookSubscriptionCreate": _subscribe,
    "webhookSubscriptionDelete": _unsubscribe,
    "webhookSubscriptionUpdate": _change_subscription,
}
