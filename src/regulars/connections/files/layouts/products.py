"""Products from any table with one row for each product or variant, and what all layouts of products share."""

from decimal import Decimal

from regulars.connections.files.layouts.base import Built, Kind, Layout, Reading, register
from regulars.connections.files.reading import Row, Unit
from regulars.connections.files.values import Unreadable
from regulars.record.catalog.inputs import ProductInput, VariantInput

_HIDDEN = {"false", "draft", "0", "no", "-1", "unlisted"}
_GONE = {"archived", "discontinued", "deleted"}


def build(unit: Unit, reading: Reading) -> Built:
    """One product with its variants; rows with nothing but a picture add none."""
    first = reading.columns.first
    if not unit.key or len(unit.key) > 120:
        raise Unreadable("there is no product key" if not unit.key else "the product key is longer than 120 characters")
    variants = [variant for row in unit.rows if (variant := _variant(row, reading))]
    product = ProductInput(
        key=unit.key,
        title=first(unit.rows, "title")[:1000],
        occurred_at=reading.at,
        variants=tuple({variant.sku: variant for variant in variants}.values()) or (VariantInput(""),),
        brand_name=first(unit.rows, "brand_name")[:200],
        status=status(first(unit.rows, "status")),
        is_service=first(unit.rows, "gift_card").casefold() == "true",
        url=first(unit.rows, "url")[:2000],
        image_url=first(unit.rows, "image_url").split(",")[0].strip()[:2000],
        categories=categories(first(unit.rows, "category")),
    )
    return Built(products=[product])


def _variant(row: Row, reading: Reading) -> VariantInput | None:
    cell = reading.columns.cell
    named = [cell(row, name) for name in ("variant_title", "option_1", "option_2", "option_3")]
    if not (any(named) or cell(row, "sku") or cell(row, "price")):
        return None
    title = " / ".join(filter(None, named))
    return VariantInput(
        sku=cell(row, "sku")[:120],
        title="" if title == "Default Title" else title[:300],
        barcode=cell(row, "barcode").strip("'=\"")[:60],
        price=price(row, reading, "price"),
        compare_at=price(row, reading, "compare_at"),
        cost=price(row, reading, "cost"),
        currency=reading.values.code(cell(row, "currency")),
        on_hand=reading.values.whole(text, "stock") if (text := cell(row, "on_hand")) else None,
    )


def price(row: Row, reading: Reading, name: str) -> Decimal | None:
    """A price with at most six decimal places; None where none is said."""
    text = reading.columns.cell(row, name)
    value = reading.values.decimal(text, name.replace("_", " ")) if text else None
    if value is not None and value < 0:
        raise Unreadable(f"the {name.replace('_', ' ')} is below zero")
    return None if value is None else round(value, 6)


def status(text: str) -> str:
    plain = text.casefold()
    return "draft" if plain in _HIDDEN else "archived" if plain in _GONE else "active"


def categories(text: str) -> tuple[tuple[str, ...], ...]:
    """'Home > Kitchen, Gifts' is two paths."""
    paths = (tuple(shelf.strip()[:200] for shelf in path.split(">") if shelf.strip()) for path in text.split(","))
    return tuple(dict.fromkeys(path for path in paths if path))


LAYOUT = register(Layout("any-products", Kind.PRODUCTS, "Any table of products", {}, ("key",), build, key="key"))
