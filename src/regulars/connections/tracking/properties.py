"""Which properties the shop's own events have, taken from what arrived: for whoever decides which of them conditions may use."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from regulars.connections.tracking.models import TrackingKey
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.pages.registries import Text
from regulars.record.events.models import Event
from regulars.record.events.recorded import read_properties
from regulars.record.own_events.models import DeclaredProperty
from regulars.record.own_events.queries import standing
from regulars.record.own_events.rules import OWN_KINDS, PropertyType, type_seen

LOOKED_AT = 2_000  # newest own events that are opened
MOST_PROPERTIES = 40  # shown of one event
TYPES: dict[PropertyType, Text] = {
    PropertyType.TEXT: _("text"),
    PropertyType.NUMBER: _("number"),
    PropertyType.FLAG: _("yes or no"),
    PropertyType.DAY: _("day"),
    PropertyType.MOMENT: _("day and time"),
}
OTHER: Text = _("something else")  # lists, objects, long texts, what looks like an address or a number of somebody


@dataclass(frozen=True)
class Share:
    """How many percent of the values seen are of a type."""

    type: Text
    percent: int


@dataclass(frozen=True)
class Property:
    """One property of an event: in how many events it was seen, as what, in how many different values. ``declared`` where it is."""

    name: str
    count: int
    different: int
    shares: Sequence[Share]
    usual: str  # the type that most values have, for the form; '' where none can be declared
    declared: DeclaredProperty | None

    @property
    def declared_as(self) -> Text:
        return TYPES[PropertyType(self.declared.type)] if self.declared else ""


@dataclass(frozen=True)
class OwnEvent:
    """One of the shop's own events among the newest."""

    name: str
    count: int
    properties: Sequence[Property]


@dataclass
class _Seen:
    count: int = 0
    types: dict[str, Counter[PropertyType | None]] = field(default_factory=lambda: defaultdict(Counter))
    values: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, properties: Mapping[str, Any]) -> None:
        self.count += 1
        for name, value in properties.items():
            if value is not None:
                self.types[name][type_seen(value)] += 1
                self.values[name].add(str(value)[:300])


def list_own_events(viewer: Viewer) -> list[OwnEvent]:
    """The most frequent first. What is declared stands there too if it was not seen lately."""
    seen: dict[str, _Seen] = defaultdict(_Seen)
    for event, properties in _opened(_newest(viewer)):
        seen[event].add(properties)
    declared: dict[str, dict[str, DeclaredProperty]] = defaultdict(dict)
    for one in standing():
        declared[one.event][one.name] = one
    names = sorted({*seen, *declared}, key=lambda name: (-seen[name].count, name))
    return [OwnEvent(name, seen[name].count, _properties(seen[name], declared[name])) for name in names]


def _newest(viewer: Viewer) -> list[Event]:
    """Of trackers those that the viewer's stores sent; those of the API only for whoever sees all stores."""
    rows = Event.objects.filter(kind__in=OWN_KINDS, data__has_key="name")
    if viewer.store_ids is not None:
        keys = TrackingKey.objects.filter(store__in=viewer.store_ids).values_list("pk", flat=True)
        rows = rows.filter(data__key__in=list(keys))
    found = (rows.filter(kind=kind).order_by("-occurred_at", "-position")[:LOOKED_AT] for kind in OWN_KINDS)
    return [row for some in found for row in some]


def _opened(events: Sequence[Event]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    sealed = read_properties(events)
    for event in events:
        said = sealed.get(event.position, {})
        rest = said.get("rest", {}) if event.kind == OWN_KINDS[0] else said
        yield event.data["name"], {**event.data.get("properties", {}), **rest}


def _properties(seen: _Seen, declared: Mapping[str, DeclaredProperty]) -> list[Property]:
    counts = {name: sum(types.values()) for name, types in seen.types.items()}
    names = sorted({*counts, *declared}, key=lambda name: (name not in declared, -counts.get(name, 0), name))
    return [_property(name, counts.get(name, 0), seen, declared.get(name)) for name in names[:MOST_PROPERTIES]]


def _property(name: str, count: int, seen: _Seen, declared: DeclaredProperty | None) -> Property:
    types = seen.types.get(name, Counter()).most_common()
    shares = [Share(TYPES[type_] if type_ else OTHER, round(100 * n / count)) for type_, n in types]
    usual = next((type_.value for type_, n in types if type_), "")
    return Property(name, count, len(seen.values.get(name, ())), shares, usual, declared)
