"""Who is looking: what every query that lists, and every operation, is asked on behalf of."""

from dataclasses import dataclass, field, replace
from typing import Any

from django.http import HttpRequest

from regulars.foundation.access.rules import PERMISSIONS, within_stores
from regulars.foundation.errors import NotAllowed
from regulars.foundation.shop.models import Store


@dataclass(frozen=True)
class Viewer:
    """A member of staff or a token. ``store_ids`` None: all stores; else only these, and a customer only through what
    they share with them.
    """

    staff_id: int | None
    permissions: frozenset[str]
    store_ids: frozenset[int] | None = None
    language: str = "en-gb"
    name: str = ""
    token_id: int | None = field(default=None)

    def may(self, permission: str) -> bool:
        """The empty permission is for everybody who is signed in."""
        return not permission or permission in self.permissions

    def require(self, permission: str) -> None:
        """Raises NotAllowed."""
        if not self.may(permission):
            known = PERMISSIONS.get(permission)
            raise NotAllowed(f"Your role does not permit this: {known.meaning if known else permission}.")

    def sees_store(self, store_id: int | None) -> bool:
        """What belongs to no store is seen by those only who see them all."""
        return self.store_ids is None or store_id in self.store_ids

    @property
    def actor(self) -> str:
        """How the audit chain and the log name them."""
        return f"token:{self.token_id}" if self.token_id else f"staff:{self.staff_id}" if self.staff_id else "system"


NOBODY = Viewer(None, frozenset())


def limited(viewer: Viewer) -> Viewer:
    """The viewer as their stores let them see: a limit to all the stores there are is none, and whoever has one is shown
    nothing that is of the shop as a whole.
    """
    if viewer.store_ids is None:
        return viewer
    if viewer.store_ids and viewer.store_ids.issuperset(Store.objects.values_list("id", flat=True)):
        return replace(viewer, store_ids=None)
    return replace(viewer, permissions=within_stores(viewer.permissions))


def viewer_of(request: HttpRequest) -> Viewer:
    """The viewer of this request, asked of the database once; NOBODY when nobody is signed in."""
    known: Viewer | None = getattr(request, "viewer", None)
    if known is None:
        user: Any = request.user
        known = user.viewer() if user.is_authenticated else NOBODY
        request.viewer = known  # type: ignore[attr-defined]
    return known


def everything() -> Viewer:
    """For commands and tests: all permissions, all stores, nobody in particular."""
    return Viewer(None, frozenset(PERMISSIONS), None)
