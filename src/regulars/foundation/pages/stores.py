"""One store at a time: ``?store=`` in an address narrows what its reader sees to that store, or to several."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest

from regulars.foundation.access.viewer import Viewer, limited, viewer_of
from regulars.foundation.pages.lists import address
from regulars.foundation.shop.models import Store


@dataclass(frozen=True)
class StoreChoice:
    """One line of the switcher."""

    label: str
    href: str
    is_current: bool


def visible_stores(viewer: Viewer) -> list[Store]:
    return [store for store in Store.objects.order_by("name", "pk") if viewer.sees_store(store.pk)]


def within_store(request: HttpRequest) -> Viewer:
    """The reader, narrowed to the stores in the address: never more than before, nothing for a store that they do not see."""
    viewer, codes = viewer_of(request), request.GET.getlist("store")
    if not any(codes):
        return viewer
    chosen = frozenset(store.pk for store in visible_stores(viewer) if store.code in codes)
    return limited(replace(viewer, store_ids=chosen))


def store_choices(request: HttpRequest, everything: str) -> list[StoreChoice]:
    """All stores, then each, as addresses of the present page; empty where there is but one."""
    stores, codes = visible_stores(viewer_of(request)), request.GET.getlist("store")
    if len(stores) < 2:
        return []
    return [
        StoreChoice(everything, address(request.GET, {"store": None}), not any(codes)),
        *(StoreChoice(one.name, address(request.GET, {"store": one.code}), [one.code] == codes) for one in stores),
    ]


def store_part(request: HttpRequest) -> str:
    """The stores of the present address, ready to follow another query: '&store=uk', or nothing."""
    codes = [code for code in request.GET.getlist("store") if code]
    return f"&{urlencode({'store': codes}, doseq=True)}" if codes else ""


def keep_store(href: str, request: HttpRequest) -> str:
    """An address of another page that reads ``?store=``, with the stores of the present one."""
    part = store_part(request)
    return href + part if urlsplit(href).query else href + part.replace("&", "?", 1)
