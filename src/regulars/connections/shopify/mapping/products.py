"""Products with their variants, and how many of each are where."""

from collections.abc import Iterator
from decimal import Decimal

from regulars.connections.base.platforms import Account
from regulars.connections.shopify.mapping.values import (
    Node,
    decimal,
    moment,
    number_in,
    number_of,
    text,
    whole,
)
from regulars.record.catalog.inputs import ProductInput, StockInput, VariantInput

_ONLY = "Default Title"  # what Shopify calls the one variant of a product without any
COUNTED = "available"  # what can be sold: the one count that webhooks tell too


def product(account: Account, node: Node) -> ProductInput:
    """A product as the shop states it now. Its counts are stated apart, by location."""
    kind, handle = text(node.get("productType"), 120), text(node.get("handle"))
    image = ((node.get("featuredMedia") or {}).get("preview") or {}).get("image") or {}
    changed_at = moment(node["updatedAt"])
    return ProductInput(
        key=number_of(node["id"]),
        title=text(node["title"], 1000),
        occurred_at=changed_at,
        variants=tuple(_variant(account, one) for one in node["variants"]["nodes"]),
        brand_name=text(node.get("vendor")),
        status=_status(node.get("status")),
        url=f"{account.address}/products/{handle}" if handle and node.get("publishedAt") else "",
        image_url=_plain_url(image.get("url")),
        categories=((kind,),) if kind else (),
        stated_at=changed_at,
    )


def _status(value: object) -> str:
    """Not listed is for sale all the same, for whoever has the link."""
    status = text(value).lower()
    return "active" if status == "unlisted" else status


def _variant(account: Account, node: Node) -> VariantInput:
    item = node.get("inventoryItem") or {}
    cost = item.get("unitCost")
    title = text(node.get("title"))
    return VariantInput(
        sku=text(node.get("sku"), 120),
        title="" if title == _ONLY else title,
        barcode=text(node.get("barcode"), 60),
        price=_price(node.get("price")),
        compare_at=_price(node.get("compareAtPrice")),
        cost=decimal(cost["amount"]) if cost else None,
        currency=account.currency,
        key=number_of(node["id"]),
        stock_key=number_of(item.get("id")),
    )


def _price(value: object) -> Decimal | None:
    return None if value in (None, "") else decimal(value)


def _plain_url(value: object) -> str:
    """Without the version of the picture that Shopify hangs on, and with a scheme."""
    url = text(value, 2000).partition("?")[0]
    return f"https:{url}" if url.startswith("//") else url


def stocks(node: Node) -> Iterator[StockInput]:
    """The counts of one inventory item, one for each location."""
    for level in node["inventoryLevels"]["nodes"]:
        for count in level["quantities"]:
            if count["name"] == COUNTED:
                place = number_in(level, "location")
                yield StockInput(whole(count["quantity"]), moment(level["updatedAt"]), place, number_of(node["id"]))
