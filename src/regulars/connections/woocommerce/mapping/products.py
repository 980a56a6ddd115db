"""Products and their variations, which WooCommerce tells apart: a product names its variations, each is told by itself."""

from collections.abc import Sequence
from decimal import Decimal

from regulars.connections.base.platforms import Account
from regulars.connections.woocommerce.mapping.values import (
    Json,
    find_moment,
    key,
    moment,
    optional_decimal,
    parts,
    text,
    whole,
)
from regulars.record.catalog.inputs import ProductInput, ProductRemoval, VariantInput

VARIATION = "variation"
PATH = "path"  # of a category, where the page tells it: its name after the names of those above it
_OF_OTHERS = frozenset({"variable", "variable-subscription", "grouped"})  # sold as something else, never as themselves


def product_of(said: Json, account: Account, variations: Sequence[Json] = ()) -> ProductInput | ProductRemoval:
    """One product with the variations that were asked for; or one variation by itself, as webhooks tell it."""
    at = max((stamp for one in (said, *variations) if (stamp := find_moment(one, "date_modified"))), default=None)
    at = at or moment(said, "date_created")
    own, status = key(said["id"]), text(said.get("status"))
    if not own:
        raise ValueError("a product without a number")
    if said.get("type") == VARIATION:
        form = _variant(said, account, is_variation=True)
        return ProductInput(key(said["parent_id"]), "", at, (form,), status="", stated_at=at)
    if status == "trash":
        return ProductRemoval(own, at)
    forms = tuple(_variant(one, account, is_variation=True) for one in variations)
    if not forms and text(said.get("type")) not in _OF_OTHERS:
        forms = (_variant(said, account, is_variation=False),)
    shelves = list(parts(said.get("categories")))
    return ProductInput(
        key=own,
        title=text(said.get("name"), 1000),
        occurred_at=at,
        variants=forms,
        brand_name=next((text(one.get("name"), 200) for one in parts(said.get("brands"))), ""),
        status="active" if status == "publish" else "draft",
        url=text(said.get("permalink"), 2000),
        image_url=next((text(one.get("src"), 2000) for one in parts(said.get("images"))), ""),
        categories=tuple(path for one in shelves if (path := _path(one))),
        category_names=tuple(name for one in shelves if PATH not in one and (name := text(one.get("name"), 200))),
        stated_at=at,
    )


def _path(shelf: Json) -> tuple[str, ...]:
    return tuple(filter(None, (text(name, 200) for name in shelf.get(PATH, ()))))


def _variant(said: Json, account: Account, *, is_variation: bool) -> VariantInput:
    return VariantInput(
        sku=text(said.get("sku"), 120),
        title=_form(said) if is_variation else "",
        barcode=text(said.get("global_unique_id"), 60),
        price=_price(said.get("price")),
        compare_at=_price(said.get("regular_price")),
        currency=account.currency,
        on_hand=_on_hand(said),
        key=key(said["id"]),
    )


def _form(said: Json) -> str:
    """'Black / M'. An attribute without an option stands for any of them."""
    return " / ".join(filter(None, (text(one.get("option")) for one in parts(said.get("attributes")))))[:1000]


def _price(value: object) -> Decimal | None:
    """Six decimals are kept."""
    amount = optional_decimal(value)
    return None if amount is None else round(amount, 6)


def _on_hand(said: Json) -> int | None:
    """None where the shop does not count, and of a variation whose pieces are counted with those of its product ('parent')."""
    counted = said.get("stock_quantity")
    if said.get("manage_stock") is not True or counted is None:
        return None
    return whole(round(optional_decimal(counted) or Decimal(0)))
