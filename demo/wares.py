"""What the demo's web shop has on its shelf: some of the demo's own goods, with a drawn picture for each category."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

_A_CATEGORY = 2
# Outlines for a field of 24 by 24, drawn for this shop.
PICTURES = {
    "Seasonal > Christmas": "M12 3l5 7h-3l4 6h-12l4-6h-3zM12 16v5",
    "Seasonal > Easter": "M12 3c4 0 7 6 7 10a7 7 0 0 1-14 0c0-4 3-10 7-10zM6 11l3 2l3-2l3 2l3-2",
    "Kitchen > Baking": "M6 12h12l-2 8h-8zM5 12a3 3 0 0 1 2-5a5 5 0 0 1 10 0a3 3 0 0 1 2 5z",
    "Kitchen > Tea and coffee": "M5 8h11v8a3 3 0 0 1-3 3h-5a3 3 0 0 1-3-3zM16 10h2a2 2 0 0 1 0 5h-2M8 3v2M12 3v2",
    "Kitchen > Tableware": "M4 12a8 8 0 1 0 16 0a8 8 0 1 0-16 0M8 12a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
    "Bags": "M5 9h14l-1 12h-12zM9 9v-2a3 3 0 0 1 6 0v2",
    "Home > Lights and candles": "M8 3h8l3 9h-14zM12 12v8M8 20h8",
    "Home > Decoration": "M12 20l-7-7a4.500 4.500 0 0 1 7-6a4.500 4.500 0 0 1 7 6z",
    "Home > Textiles": "M5 5c4 1.500 10 1.500 14 0c-1.500 4-1.500 10 0 14c-4-1.500-10-1.500-14 0c1.500-4 1.500-10 0-14z",
    "Home > Storage": "M3 8l9-5l9 5v8l-9 5l-9-5zM3 8l9 5l9-5M12 13v8",
    "Garden": "M5 19c0-9 5-14 14-14c0 9-5 14-14 14zM5 19l8-8",
    "Paper and craft": "M6 3h9l4 4v14h-13zM9 12h7M9 16h7",
    "Children": "M12 3a5 6 0 0 1 0 12a5 6 0 0 1 0-12zM12 15l-1 2h2zM12 17v4",
    "Jewellery": "M7 15a5 5 0 1 0 10 0a5 5 0 1 0-10 0M9 10l-2-5h10l-2 5",
    "More": "M4 9h16v4h-16zM6 13h12v8h-12zM12 9v12M12 9c-4 0-5-5-2-5s2 5 2 5s-1-5 2-5s2 5-2 5",
}


@dataclass(frozen=True)
class Ware:
    """One article as the shop shows it; ``price`` in pounds, as text."""

    sku: str
    title: str
    category: str
    price: str

    @property
    def shelf(self) -> str:
        """The narrowest word for what it is."""
        return self.category.rpartition(" > ")[2]

    def as_told(self) -> dict[str, str | float]:
        """The product as the e-commerce specification names its fields."""
        return {
            "product_id": self.sku,
            "sku": self.sku,
            "name": self.title,
            "category": self.category,
            "price": float(self.price),
            "currency": "GBP",
        }


def choose(stocked: Iterable[tuple[Ware, int]]) -> dict[str, Ware]:
    """Of each category the wares of which most lie in stock, by their article number."""
    shelves: dict[str, list[Ware]] = defaultdict(list)
    for ware, _stock in sorted(stocked, key=lambda one: (-one[1], one[0].sku)):
        if len(shelves[ware.category]) < _A_CATEGORY:
            shelves[ware.category].append(ware)
    return {ware.sku: ware for category in PICTURES for ware in shelves[category]}
