"""Which views of a list its reader is offered."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.db.models import Q
from django.http import HttpRequest

from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.errors import NotFound
from regulars.foundation.ids import from_public
from regulars.foundation.pages.lists import ListPage
from regulars.foundation.pages.models import SavedView
from regulars.foundation.shop.models import Store

_NOT_KEPT = {"q", "cursor", "export"}


def kept_query(query: str) -> str:
    """What a view keeps of an address: in one order, so that equal filters are equal texts; without cursor and search."""
    pairs = [(name, value) for name, value in parse_qsl(query[:4000]) if name not in _NOT_KEPT]
    return urlencode(sorted(pairs))


def views_for(request: HttpRequest, page: ListPage) -> dict[str, Any]:
    """For the frame of a list: the reader's own views and shared ones by name, the present one, and what would be kept now."""
    viewer, query = viewer_of(request), kept_query(request.META.get("QUERY_STRING", ""))
    rows = SavedView.objects.filter(Q(staff=viewer.staff_id) | _shared_with(viewer), path=request.path)
    views = list(rows.select_related("staff").order_by("name", "pk"))
    current = next((view for view in views if view.query == query), None)
    is_default = query in {"", f"sort={page.default_sort}"}
    return {
        "views": views,
        "view": current,
        "view_query": query,
        "may_save_view": viewer.staff_id is not None and not (is_default and current is None),
        "may_share_view": viewer.may("views.share"),
        "may_change_view": current is not None and may_change(current, viewer),
    }


def _shared_with(viewer: Viewer) -> Q:
    """To whoever is limited to stores only what was shared by those who see no other: a filter may name what another store knows."""
    if viewer.store_ids is None:
        return Q(is_shared=True)
    others = Store.objects.exclude(pk__in=viewer.store_ids)
    peers = StaffMember.objects.filter(stores__in=viewer.store_ids).exclude(stores__in=others)
    return Q(is_shared=True, staff__in=peers)


def may_change(view: SavedView, viewer: Viewer) -> bool:
    """Whoever made it; a shared one also by whoever changes settings, since its maker may have left."""
    return view.staff_id == viewer.staff_id or (view.is_shared and viewer.may("settings.edit"))


def get_view(public_id: str, viewer: Viewer) -> SavedView:
    """A view that the viewer may change. Raises NotFound."""
    view = SavedView.objects.filter(uid=from_public(SavedView.PREFIX, public_id)).first()
    if view is None or not may_change(view, viewer):
        raise NotFound(f"There is no view {public_id}")
    return view
