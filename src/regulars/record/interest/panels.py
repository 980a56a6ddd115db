"""What somebody wishes for, searched for and thinks of products, on the customer's page."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.pages.registries import CUSTOMER_PANELS, CustomerPanel
from regulars.record.interest.queries import reviews_of, searches_of, wishes_of

SHOWN = 5  # the others open below them


def _panel(ask: Callable[[int, Viewer], Sequence[Any]]) -> Callable[[int, Viewer], dict[str, Any] | None]:
    """No block for whoever has none."""

    def show(customer_id: int, viewer: Viewer) -> dict[str, Any] | None:
        rows = ask(customer_id, viewer)
        return {"count": len(rows), "first": rows[:SHOWN], "others": rows[SHOWN:]} if rows else None

    return show


for _order, (_name, _title, _ask) in enumerate(
    (
        ("wishlist", _("On the wishlist"), wishes_of),
        ("searches", _("Searched for"), searches_of),
        ("reviews", _("Reviews"), reviews_of),
    )
):
    CUSTOMER_PANELS.register(
        _name,
        CustomerPanel(_title, f"interest/{_name}.html", "customers.view", _panel(_ask), order=12 + _order),
    )
