"""What modules add to the shared screens, from their ``panels.py``: navigation, search hits, timeline entries, panels of a customer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.registry import Registry

Text = str | Promise


class Group(StrEnum):
    """Groups of the left navigation, in their order."""

    HOME = "home"
    CUSTOMERS = "customers"
    AUTOMATE = "automate"
    SELL = "sell"
    SERVE = "serve"
    UNDERSTAND = "understand"
    SET_UP = "set-up"


GROUP_LABELS: dict[Group, Text] = {
    Group.HOME: "",
    Group.CUSTOMERS: _("Customers"),
    Group.AUTOMATE: _("Automate"),
    Group.SELL: _("Sell"),
    Group.SERVE: _("Serve"),
    Group.UNDERSTAND: _("Understand"),
    Group.SET_UP: _("Set up"),
}


@dataclass(frozen=True)
class NavigationEntry:
    """One line of the left navigation. ``url`` is the name of a route without arguments, ``icon`` a name of the sprite.

    ``at_hand`` entries stand in the bottom bar of a phone; at most four of the whole house. ``by_store``: reads ``?store=``,
    and keeps what the present page has. ``covers``: names of routes that belong here and whose addresses do not say so.
    """

    group: Group
    label: Text
    url: str
    icon: str
    permission: str
    order: int = 50
    at_hand: bool = False
    by_store: bool = False
    covers: tuple[str, ...] = ()


@dataclass(frozen=True)
class SearchHit:
    """One thing found: what it is called, what tells it apart, where it opens."""

    title: str
    detail: str
    href: str
    icon: str


@dataclass(frozen=True)
class SearchSource:
    """Finds one kind of thing. ``find(text, viewer, limit)`` gives the best hits first; ``all_url`` lists all with ``?q=``."""

    label: Text
    permission: str
    find: Callable[[str, Viewer, int], Sequence[SearchHit]]
    all_url: str = ""
    order: int = 50


@dataclass(frozen=True)
class Reason:
    """One line of a 'why': what was looked at, its value then, and where it can be opened."""

    label: str
    value: str
    href: str = ""


@dataclass(frozen=True)
class TimelineEntry:
    """Something that happened to a customer, in words. ``kind`` is the name of a ``TimelineKind``; ``key`` is unique in the timeline."""

    key: str
    kind: str
    at: datetime
    title: str
    detail: str = ""
    href: str = ""
    by: str = ""
    why: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class TimelineKind:
    """One kind of entry, which the timeline can be filtered by.

    ``load(customer_id, viewer, before, limit)`` gives the newest first; with ``before``, those with ``at < before``. ``opens`` is
    what the link to an entry says.
    """

    label: Text
    icon: str
    permission: str
    load: Callable[[int, Viewer, datetime | None, int], Sequence[TimelineEntry]]
    order: int = 50
    opens: Text = ""


@dataclass(frozen=True)
class CustomerPanel:
    """A block on the customer page. ``context(customer_id, viewer)`` feeds ``template``; None leaves the block out."""

    title: Text
    template: str
    permission: str
    context: Callable[[int, Viewer], dict[str, Any] | None]
    side: str = "right"  # left, middle or right
    order: int = 50


@dataclass(frozen=True)
class Finding:
    """What is the case, in one sentence with its figures, and what to do next. The greatest ``weight`` is said first."""

    sentence: str
    action: str
    href: str
    weight: float
    count: int | None = None
    count_href: str = ""
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FindingSource:
    """Looks whether there is something to say on the home page."""

    permission: str
    find: Callable[[Viewer, datetime], Sequence[Finding]]


# Who besides the one who began it may watch a piece of long work of this kind: ``may(task_id, viewer)``.
WATCHERS: Registry[Callable[[int, Viewer], bool]] = Registry("watcher of long work")
NAVIGATION: Registry[NavigationEntry] = Registry("navigation entry")
SEARCH: Registry[SearchSource] = Registry("search source")
TIMELINE: Registry[TimelineKind] = Registry("timeline kind")
CUSTOMER_PANELS: Registry[CustomerPanel] = Registry("customer panel")
FINDINGS: Registry[FindingSource] = Registry("finding")
