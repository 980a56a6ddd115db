"""Products: the list with how they sell, and one product."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.ids import to_public
from regulars.foundation.money import to_decimal
from regulars.foundation.pages.charts import Chart, Series
from regulars.foundation.pages.formats import format_number, reader_locale, today
from regulars.foundation.pages.listing import show_list
from regulars.foundation.pages.lists import Choices, Column, Empty, Filter, ListPage, ListQuery
from regulars.foundation.pages.paging import PAGE_SIZE, Cursor, Rows
from regulars.foundation.pages.sums import PIECES, Door, sum_key
from regulars.foundation.shop.settings import read_setting
from regulars.record.catalog import queries
from regulars.record.catalog.models import Product
from regulars.record.catalog.queries import Price
from regulars.record.orders.queries import ProductSales, months_of_product, sales_of_products
from regulars.web.labels import PRODUCT_STATUS, product_pill
from regulars.web.queries.periods import period_to

RECENT_DAYS = 91
EVER = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ProductRow:
    """A product with its present price and stock, and how it sold in the last 13 weeks."""

    product: Product
    public_id: str
    price: Price | None
    stock: int | None
    sales: ProductSales
    currency: str

    @property
    def id(self) -> int:
        return self.product.pk


def _rows(products: Sequence[Product], viewer: Viewer) -> list[ProductRow]:
    ids = [product.pk for product in products]
    prices, stock = queries.prices_of(ids), queries.stock_of(ids)
    currency = read_setting("shop.reporting_currency")
    sales = sales_of_products(ids, _recent(), viewer)
    return [
        ProductRow(
            one,
            to_public(Product.PREFIX, one.uid),
            prices.get(one.pk),
            stock.get(one.pk),
            sales.get(one.pk, ProductSales()),
            currency,
        )
        for one in products
    ]


def _recent() -> datetime:
    return period_to(clock.now(), RECENT_DAYS).since


def _load(query: ListQuery, viewer: Viewer) -> Rows:
    return (_load_by_sales if query.sort in {"units", "revenue"} else _BY_NAME.page)(query, viewer)


def _load_by_sales(query: ListQuery, viewer: Viewer) -> Rows:
    """Sorted by what is counted from orders: the sales of all products are summed once, then one page of ids is cut out."""
    ids = list(queries.products_matching(query, viewer).order_by("pk").values_list("pk", flat=True))
    sales = sales_of_products(None, _recent(), viewer)
    sold = {pk: sales.get(pk, ProductSales()) for pk in ids}
    ids.sort(
        key=lambda pk: (sold[pk].units if query.sort == "units" else sold[pk].total_minor, pk), reverse=query.descending
    )
    start = Cursor.decode(query.cursor).number if query.cursor else 0
    shown = ids[start : start + PAGE_SIZE]
    following = Cursor(None, 0, start + PAGE_SIZE).encode() if start + PAGE_SIZE < len(ids) else ""
    previous = Cursor(None, 0, max(0, start - PAGE_SIZE)).encode() if start else ""
    return Rows(_rows(queries.products_in(shown), viewer), len(ids), following, previous, start + 1)


def _price(row: ProductRow) -> tuple[int, str] | None:
    return (round(row.price.low * 10 ** _places(row.price.currency)), row.price.currency) if row.price else None


def _places(currency: str) -> int:
    return -int(to_decimal(1, currency).as_tuple().exponent)


def _categories(viewer: Viewer) -> Choices:
    return [(str(pk), name) for pk, name in queries.list_categories(viewer)]


def _units_door(row: ProductRow) -> Door:
    return Door(_sold_href(row.id, _recent()), sum=sum_key((row.sales.units, PIECES)))


def _sales_door(row: ProductRow) -> Door:
    return Door(_sold_href(row.id, _recent()), sum=sum_key((row.sales.total_minor, row.currency)))


def _sold_href(product_id: int, since: datetime | None) -> str:
    asked = {"product": str(product_id)} | ({"placed_from": today(since).isoformat()} if since else {})
    return "/sold?" + urlencode(asked)


_BY_NAME = ListPage(
    name="products",
    title=_("Products"),
    search=_("Search by name or key"),
    columns=[
        Column("title", _("Product"), value=lambda row: row.product.title or row.product.key, sort="title"),
        Column("key", _("Key"), value=lambda row: row.product.key, sort="key", on_phone=False, on_tablet=False),
        Column(
            "status",
            _("Status"),
            "pill",
            value=lambda row: product_pill(row.product.status),
            on_phone=False,
            on_tablet=False,
        ),
        Column("price", _("Price"), "money", value=_price, on_phone=False),
        Column(
            "price_currency", _("Currency"), value=lambda row: row.price.currency if row.price else "", on_page=False
        ),
        Column("stock", _("In stock"), "number", value=lambda row: row.stock, on_phone=False),
        Column(
            "units", _("Sold, 13 weeks"), "number", value=lambda row: row.sales.units, sort="units", door=_units_door
        ),
        Column(
            "revenue",
            _("Sales, 13 weeks"),
            "money",
            value=lambda row: (row.sales.total_minor, row.currency),
            sort="revenue",
            door=_sales_door,
            on_phone=False,
        ),
        Column("orders", _("Orders, 13 weeks"), "number", value=lambda row: row.sales.orders, is_optional=True),
        Column("store", _("Store"), value=lambda row: row.product.store.name, is_optional=True),
    ],
    filters=[
        Filter("status", _("Status"), choices=lambda viewer: list(PRODUCT_STATUS.items())),
        Filter(
            "kind",
            _("Kind"),
            choices=lambda viewer: [("product", _("Goods")), ("service", _("Postage, fees and the like"))],
        ),
        Filter("category", _("Category"), choices=_categories),
    ],
    default_sort="-units",
    rows=lambda query, viewer: queries.products_matching(query, viewer).select_related("store"),
    sorts=queries.SORTS,
    present=_rows,
    by_store=True,
    href=lambda row: f"/products/{row.public_id}",
    unit=lambda n: ngettext("%s product", "%s products", n) % format_number(n),
    empty=Empty(
        _("No products yet"),
        _(
            "Products come with your orders by themselves. A file of products adds their names, prices, costs and stock."
        ),
        _("Import products"),
        "/imports/new",
        "packages",
    ),
    export_permission="products.export",
)
PRODUCTS = replace(_BY_NAME, load=_load)


@requires("products.view", post="products.view")
def products(request: HttpRequest) -> HttpResponseBase:
    return show_list(request, PRODUCTS)


@requires("products.view")
def one_product(request: HttpRequest, public_id: str) -> HttpResponse:
    viewer = viewer_of(request)
    detail = queries.get_product(public_id, viewer)
    [row] = _rows([detail.product], viewer)
    currency = read_setting("shop.reporting_currency")
    ever = sales_of_products([row.id], EVER, viewer).get(row.id, ProductSales())
    context = {
        "title": detail.product.title or detail.product.key,
        "detail": detail,
        "product": detail.product,
        "row": row,
        "price": _price(row),
        "ever": ever,
        "currency": currency,
        "sold_href": _sold_href(row.id, None),
        "pill": product_pill(detail.product.status),
        "chart": _sales_chart(row.id, viewer),
    }
    return render(request, "web/product.html", context)


def _sales_chart(product_id: int, viewer: Viewer) -> Chart | None:
    """Units by month, gaps filled with zero."""
    months = months_of_product(product_id, read_setting("shop.time_zone"), viewer)
    if len(months) < 2:
        return None
    sold = {month: units for month, units, _orders in months}
    axis = list(_months(months[0][0], months[-1][0]))
    best = max(sold, key=lambda month: sold[month])
    summary = gettext("%(units)s sold in the best month, %(month)s.") % {
        "units": format_number(sold[best]),
        "month": _month_name(best),
    }
    return Chart(
        "units",
        gettext("Sold by month"),
        summary,
        [_month_name(month) for month in axis],
        [Series(gettext("Sold"), [sold.get(month, 0) for month in axis])],
        "bar",
    )


def _months(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first = (first + timedelta(days=32)).replace(day=1)


def _month_name(month: date) -> str:
    return f"{reader_locale().months['stand-alone']['abbreviated'][month.month]} {month.year}"
