"""Stores as the API names them: by their codes."""

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.errors import InvalidInput, NotAllowed
from regulars.foundation.shop.models import Store


class UnknownStore(InvalidInput):
    """There is no store with this code."""

    code = "unknown-store"
    status = 422


def get_store(code: str, viewer: Viewer) -> Store:
    """The store of this code; without a code, the only one that the viewer could mean. Raises UnknownStore,
    NotAllowed.
    """
    stores = list(Store.objects.order_by("id")) if not code else list(Store.objects.filter(code=code))
    seen = [store for store in stores if viewer.sees_store(store.pk)]
    if stores and code and not seen:
        raise NotAllowed(f"This token is not for the store '{code[:60]}'.")
    if len(seen) != 1:
        raise UnknownStore(
            f"There is no store '{code[:60]}'." if code else "Say which store: send its code as 'store'."
        )
    return seen[0]


def find_store(code: str, viewer: Viewer) -> Store | None:
    """As ``get_store``, but no code means no store, for those who see them all. Raises UnknownStore, NotAllowed."""
    return None if not code and viewer.store_ids is None else get_store(code, viewer)


def codes_of_stores() -> dict[int, str]:
    """Code of each store."""
    return dict(Store.objects.values_list("id", "code"))
