"""How subscriptions and bulk operations are read."""

from fakes.shopify.context import Asking, Fields, Json
from fakes.shopify.settings import VERSION
from fakes.shopify.webhooks import Subscription


def _version(of: Subscription, ask: Asking) -> Json:
    return {"handle": VERSION, "displayName": VERSION, "supported": True}


FIELDS: Fields = {
    "WebhookSubscription": {
        "apiVersion": _version,
        "callbackUrl": lambda of, ask: of.uri,
        "endpoint": lambda of, ask: {"__typename": "WebhookHttpEndpoint", "callbackUrl": of.uri},
    },
    "BulkOperation": {
        "type": lambda of, ask: "QUERY",
        "url": lambda of, ask: ask.bulk.address(of, ask.base) if of.status == "COMPLETED" and of.lines else None,
        "partialDataUrl": lambda of, ask: (
            ask.bulk.address(of, ask.base) if of.status == "FAILED" and of.lines else None
        ),
        "fileSize": lambda of, ask: of.file_size if of.completed_at and of.lines else None,
        "objectCount": lambda of, ask: len(of.lines),
    },
}
