"""The frame around every page: navigation for this reader, and how a view renders within it."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, resolve, reverse

from regulars.foundation.access.gate import rule_of
from regulars.foundation.access.viewer import viewer_of
from regulars.foundation.pages.registries import GROUP_LABELS, NAVIGATION, Group, NavigationEntry
from regulars.foundation.pages.stores import keep_store


@dataclass(frozen=True)
class Place:
    """One entry as the reader sees it."""

    label: str
    href: str
    icon: str
    is_current: bool


@dataclass(frozen=True)
class NavigationGroup:
    """A heading and its entries."""

    label: str
    places: Sequence[Place]


@dataclass(frozen=True)
class Navigation:
    """The left column, and the few entries that a phone keeps at hand."""

    groups: Sequence[NavigationGroup]
    at_hand: Sequence[Place]


def navigation_of(request: HttpRequest) -> Navigation:
    entries = [entry for _, entry in NAVIGATION.items() if may(request, entry.permission)]
    hrefs = {entry: reverse(entry.url) for entry in entries}
    current = _current(request.path, entries, hrefs)

    def places(of: Sequence[NavigationEntry]) -> list[Place]:
        shown = {entry: keep_store(hrefs[entry], request) if entry.by_store else hrefs[entry] for entry in of}
        return [Place(str(entry.label), shown[entry], entry.icon, entry is current) for entry in of]

    entries.sort(key=lambda entry: (list(Group).index(entry.group), entry.order))
    groups = [
        NavigationGroup(str(GROUP_LABELS[group]), places([e for e in entries if e.group is group])) for group in Group
    ]
    return Navigation([group for group in groups if group.places], places([e for e in entries if e.at_hand][:4]))


def _current(
    path: str, entries: Sequence[NavigationEntry], hrefs: dict[NavigationEntry, str]
) -> NavigationEntry | None:
    """The entry one of whose addresses is the longest beginning of the present one."""
    fitting = [
        (len(href), place)
        for place, entry in enumerate(entries)
        for href in (hrefs[entry], *map(reverse, entry.covers))
        if _covers(href, path)
    ]
    return entries[max(fitting)[1]] if fitting else None


def _covers(href: str, path: str) -> bool:
    return path == href or (href != "/" and path.startswith(href.rstrip("/") + "/"))


def may(request: HttpRequest, permission: str) -> bool:
    """Whether whoever asks holds the permission; an empty name is for everybody who is signed in."""
    return bool(request.user.is_authenticated) and viewer_of(request).may(permission)


def may_open(request: HttpRequest, href: str) -> bool:
    """Whether whoever asks may open this address of ours, by the rule of the view behind it: what they may not is not offered."""
    try:
        rule = rule_of(resolve(urlsplit(urljoin(request.path, href)).path).func)
    except Resolver404:
        return False
    permission = rule.permission("GET") if rule else None
    return permission is not None and may(request, permission)


def chosen_theme(request: HttpRequest | None) -> str:
    """'light', 'dark', or '' for what the reader's system says."""
    chosen = request.COOKIES.get("regulars_theme", "") if request else ""
    return chosen if chosen in {"light", "dark"} else ""
