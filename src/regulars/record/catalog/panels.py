"""Products in the navigation and the search."""

from django.utils.translation import gettext_lazy as _

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.ids import to_public
from regulars.foundation.pages.registries import NAVIGATION, SEARCH, Group, NavigationEntry, SearchHit, SearchSource
from regulars.record.catalog.models import Product
from regulars.record.catalog.queries import find_products


def find(text: str, viewer: Viewer, limit: int) -> list[SearchHit]:
    hits = []
    for product in find_products(text, viewer, limit):
        hits.append(
            SearchHit(
                product.title or product.key,
                product.key,
                f"/products/{to_public(Product.PREFIX, product.uid)}",
                "package",
            )
        )
    return hits


NAVIGATION.register(
    "products",
    NavigationEntry(Group.SELL, _("Products"), "products", "packages", "products.view", order=20, by_store=True),
)
SEARCH.register("products", SearchSource(_("Products"), "products.view", find, "/products", order=40))
