"""The catalog: products made and changed, histories that grow only where something changed, what was sold."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from regulars.foundation.shop.models import Brand, Store
from regulars.record.catalog.inputs import ProductInput, VariantInput
from regulars.record.catalog.models import Category, CostEntry, PriceEntry, Product, ProductChange, StockEntry, Variant
from regulars.record.catalog.operations import AppliedProducts, SoldItem, apply_products, ensure_variants
from regulars.record.events.log import transaction
from regulars.record.events.models import Event

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
MUG = ProductInput(
    "mug",
    "Mug",
    AT,
    (VariantInput("MUG-B", "Blue", price=Decimal("9.50"), cost=Decimal(3), currency="GBP", on_hand=7),),
    categories=(("Home", "Kitchen"), ("Sale",)),
)


@pytest.fixture
def store() -> Store:
    brand = Brand.objects.create(name="b", from_name="b", from_address="b@shop.example")
    return Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")


def apply(store: Store, *products: ProductInput) -> AppliedProducts:
    with transaction("import", "t") as log:
        return apply_products(products, log, store_id=store.pk, at=AT)


def kinds() -> list[str]:
    return list(Event.objects.order_by("position").values_list("kind", flat=True))


def test_a_product_with_everything(store: Store) -> None:
    done = apply(store, MUG)
    product = Product.objects.get()
    assert done == AppliedProducts(created=1, product_ids={"mug": product.pk})
    assert sorted(product.categories.values_list("name", "parent__name")) == [("Kitchen", "Home"), ("Sale", None)]
    assert kinds() == ["product.created", "product.price_changed", "product.cost_changed", "product.stock_counted"]


def test_the_same_again_changes_nothing(store: Store) -> None:
    apply(store, MUG)
    again = apply(store, MUG, replace(MUG, occurred_at=AT + timedelta(days=1)))
    assert (again.created, again.updated, again.unchanged) == (0, 0, 1)
    assert (
        PriceEntry.objects.count(),
        CostEntry.objects.count(),
        StockEntry.objects.count(),
        ProductChange.objects.count(),
    ) == (1, 1, 1, 0)
    assert Category.objects.count() == 3


def test_a_category_told_by_name_alone_is_where_the_product_stands_else_where_one_of_that_name_does(
    store: Store,
) -> None:
    apply(store, MUG, replace(MUG, key="cup", categories=(("Party", "Kitchen"),)))
    by_name = replace(MUG, categories=(), category_names=("Kitchen",))
    assert apply(store, replace(by_name, key="cup", variants=())).unchanged == 1
    apply(store, by_name, replace(by_name, key="pot"), replace(by_name, key="new", category_names=("Garden",)))
    stand = Product.objects.values_list("key", "categories__name", "categories__parent__name")
    assert sorted(stand) == [
        ("cup", "Kitchen", "Party"), ("mug", "Kitchen", "Home"), ("new", "Garden", None), ("pot", "Kitchen", "Home"),
    ]  # fmt: skip


def test_what_changes_is_appended_and_what_is_not_said_stays(store: Store) -> None:
    apply(store, MUG)
    dearer = VariantInput("MUG-B", price=Decimal("10.50"), currency="GBP")
    done = apply(
        store, replace(MUG, title="", brand_name="Acme", variants=(dearer, VariantInput("MUG-R", "Red")), categories=())
    )
    product = Product.objects.get()
    assert done.updated == 1
    assert (product.title, product.brand_name, product.categories.count()) == ("Mug", "Acme", 2)
    assert list(PriceEntry.objects.order_by("id").values_list("amount", flat=True)) == [
        Decimal("9.50"),
        Decimal("10.50"),
    ]
    assert sorted(Variant.objects.values_list("sku", "title")) == [("MUG-B", "Blue"), ("MUG-R", "Red")]
    change = ProductChange.objects.get()
    assert (change.before["brand_name"], change.before["variants"]) == ("", {"MUG-B": ["Blue", ""]})


def test_what_was_sold_is_found_by_key_or_sku_or_made(store: Store) -> None:
    apply(store, MUG)
    with transaction("import", "t") as log:
        found = ensure_variants(
            [
                SoldItem("", "MUG-B"),
                SoldItem("mug", "MUG-B"),
                SoldItem("", "NEW", "New thing"),
                SoldItem("", "", "Only a title"),
                SoldItem("", ""),
            ],
            log,
            store_id=store.pk,
            at=AT,
        )
    known = Variant.objects.get(sku="MUG-B").pk
    assert (found["MUG-B", "MUG-B", ""], found["mug", "MUG-B", ""]) == (known, known)
    assert sorted(Product.objects.values_list("key", "title")) == [
        ("NEW", "New thing"),
        ("Only a title", "Only a title"),
        ("mug", "Mug"),
    ]
    assert len(found) == 4
