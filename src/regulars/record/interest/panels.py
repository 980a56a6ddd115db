"""What somebody wishes for, searched for and thinks of products, on the customer's page."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.pages.registries import CUSTOMER_PANELS, CustomerPanel, Text
from regulars.record.interest.queries import coupons_of, reviews_of, searches_of, wishes_of

SHOWN = 5  # the others open below them


def _panel(name: str, title: Text, ask: Callable[[int, Viewer], Sequence[Any]], order: int) -> None:
    """Whoever has none has no block."""

    def show(customer_id: int, viewer: Viewer) -> dict[str, Any] | None:
        rows = ask(customer_id, viewer)
        return {"count": len(rows), "first": rows[:SHOWN], "others": rows[SHOWN:]} if rows else None

    template = f"interest/{name}.html"
    CUSTOMER_PANELS.register(name, CustomerPanel(title, template, "customers.view", show, order=order))


_panel("wishlist", _("On the wishlist"), wishes_of, 12)
_panel("searches", _("Searched for"), searches_of, 13)
_panel("reviews", _("Reviews"), reviews_of, 14)
_panel("coupons", _("Coupons tried"), coupons_of, 15)
