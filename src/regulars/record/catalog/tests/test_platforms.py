"""Products of a shop system: variants by their own keys, statements in any order, counts of stock, what is gone."""

import itertools
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from regulars.foundation.shop.models import Brand, Store
from regulars.record.catalog.inputs import ProductInput, ProductRemoval, StockInput, VariantInput
from regulars.record.catalog.models import PriceEntry, Product, StockEntry, Variant
from regulars.record.catalog.operations import SoldItem, apply_products, count_stock, ensure_variants, remove_products
from regulars.record.events.log import transaction
from regulars.record.events.models import Event

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
Said = ProductInput | ProductRemoval | StockInput


@pytest.fixture
def store() -> Store:
    return new_store("uk")


def new_store(code: str) -> Store:
    brand = Brand.objects.create(name=code, from_name="b", from_address="b@shop.example")
    return Store.objects.create(code=code, name=code, brand=brand, currency="GBP")


def said(hour: int, title: str = "Mug", *variants: VariantInput, **more: object) -> ProductInput:
    at = AT + hour * HOUR
    forms = variants or (VariantInput("MUG", price=Decimal(10 + hour), currency="GBP", key="55", stock_key="s55"),)
    return ProductInput("7", title, at, forms, stated_at=at, **more)  # type: ignore[arg-type]


def tell(store: Store, *inputs: Said) -> None:
    for one in inputs:
        with transaction("test", "t") as log:
            match one:
                case ProductRemoval():
                    remove_products([one], log, store_id=store.pk, at=AT)
                case StockInput():
                    count_stock([one], log, store_id=store.pk)
                case _:
                    apply_products([one], log, store_id=store.pk, at=AT)


def present(store: Store) -> tuple[object, ...]:
    product = Product.objects.get(store=store)
    variants = Variant.objects.filter(product=product).order_by("key").values_list("key", "sku", "title")
    price = PriceEntry.objects.filter(variant__product=product).order_by("-occurred_at", "-id").first()
    count = StockEntry.objects.filter(variant__product=product).order_by("-occurred_at", "-id").first()
    return product.title, product.status, list(variants), price and price.amount, count and count.on_hand


def test_a_platforms_key_tells_variants_with_empty_and_doubled_skus_apart(store: Store) -> None:
    forms = (VariantInput("", "Red", key="1"), VariantInput("", "Blue", key="2"), VariantInput("X", "Green", key="3"))
    tell(store, said(0, "Mug", *forms), said(1, "Mug", VariantInput("X", "Red", key="1"), *forms[1:]))
    rows = Variant.objects.order_by("key").values_list("key", "sku", "title")
    assert list(rows) == [("1", "X", "Red"), ("2", "", "Blue"), ("3", "X", "Green")]
    with transaction("test", "t") as log:
        items = [SoldItem("7", "X", "Mug", variant_key="3"), SoldItem("7", "new sku", "Mug", variant_key="2")]
        found = ensure_variants(items, log, store_id=store.pk, at=AT)
    ids = dict(Variant.objects.values_list("key", "id"))
    assert found == {("7", "X", "3"): ids["3"], ("7", "new sku", "2"): ids["2"]}


def test_what_was_sold_before_its_product_was_known_is_its_variant(store: Store) -> None:
    with transaction("test", "t") as log:
        items = [SoldItem("7", "MUG", "A mug"), SoldItem("8", "", "Cup", variant_key="81"), SoldItem("", "POT", "Pot")]
        found = ensure_variants(items, log, store_id=store.pk, at=AT)
    tell(store, said(0), ProductInput("8", "Cup", AT, (VariantInput("CUP", key="81"),)))
    tell(store, ProductInput("9", "Pot", AT, (VariantInput("POT", key="91"),)))
    rows = Variant.objects.order_by("key").values_list("product__key", "key", "sku", "id")
    assert list(rows) == [
        ("7", "55", "MUG", found["7", "MUG", ""]),
        ("8", "81", "CUP", found["8", "", "81"]),
        ("9", "91", "POT", found["POT", "POT", ""]),
    ]
    assert sorted(Product.objects.values_list("key", flat=True)) == ["7", "8", "9"]


def test_a_part_states_variants_and_nothing_of_the_product(store: Store) -> None:
    part = ProductInput("7", "", AT + 3 * HOUR, (VariantInput("MUG-L", key="56"),), status="", stated_at=AT + 3 * HOUR)
    with transaction("test", "t") as log:
        apply_products([part, said(1, is_service=True), part], log, store_id=store.pk, at=AT)
    tell(store, said(2, "Big mug", is_service=True), part)
    assert (Product.objects.get().title, Product.objects.get().is_service) == ("Big mug", True)
    assert list(Variant.objects.order_by("key").values_list("key", flat=True)) == ["55", "56"]


STORY: Sequence[Said] = (
    said(0),
    said(1, "Fine mug", status="draft"),
    StockInput(5, AT + HOUR, stock_key="s55"),
    said(2, "Finer mug"),
    ProductRemoval("7", AT + 3 * HOUR),
)
BACK = said(4, "Finest mug")


@pytest.mark.parametrize("is_back", [False, True])
def test_shuffled_and_repeated_statements_end_in_the_same_product(store: Store, is_back: bool) -> None:
    """All orders of the five, of which some come twice; a count of an unknown variant is lost, so the first statement goes first for it."""
    story = [*STORY, *([BACK] if is_back else [])]
    orders = random.Random(7).sample(list(itertools.permutations(story)), 40)
    ends = set()
    for number, order in enumerate(orders):
        other = new_store(f"s{number}")
        tell(other, *order, *order[:2], STORY[2])
        ends.add(repr(present(other)))
    status = "active" if is_back else "archived"
    title, price = ("Finest mug", "14") if is_back else ("Finer mug", "12")
    assert ends == {f"('{title}', '{status}', [('55', 'MUG', '')], Decimal('{price}.000000'), 5)"}


def test_what_is_late_is_no_news(store: Store) -> None:
    tell(store, said(2), StockInput(0, AT + 2 * HOUR, variant_key="55"))
    before = list(Event.objects.values_list("kind", flat=True))
    tell(store, said(1, "Old mug"), said(1, "Old mug"), StockInput(9, AT + HOUR, variant_key="55"))
    tell(store, StockInput(9, AT, stock_key="unknown"))
    assert list(Event.objects.values_list("kind", flat=True)) == before
    assert present(store) == ("Mug", "active", [("55", "MUG", "")], Decimal(12), 0)
    assert list(PriceEntry.objects.order_by("occurred_at").values_list("amount", flat=True)) == [11, 12]
    assert list(StockEntry.objects.order_by("occurred_at").values_list("on_hand", flat=True)) == [9, 0]
