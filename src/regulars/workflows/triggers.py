"""What a workflow can begin with. A trigger says which events it reads, whom they begin a run for, and who is there already."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from regulars.foundation.registry import Registry
from regulars.insight.segments.queries import get_segment, members
from regulars.record.customers.queries import customers_of
from regulars.record.events.readers import Recorded
from regulars.workflows.runs.starting import Arrival
from regulars.workflows.steps.kinds import Names, StepProblem, name_of, refuse_unknown


class Trigger(Protocol):
    """One kind of trigger. ``check`` raises StepProblem; ``arrivals`` gives those of ``events`` that begin a run under ``settings``."""

    @property
    def name(self) -> str: ...
    @property
    def events(self) -> frozenset[str]: ...

    def check(self, settings: Mapping[str, Any]) -> None: ...

    def describe(self, settings: Mapping[str, Any], names: Names) -> str: ...

    def arrivals(self, settings: Mapping[str, Any], events: Sequence[Recorded]) -> list[Arrival]: ...

    def already_there(self, settings: Mapping[str, Any], at: datetime) -> list[Arrival]:
        """Whom the trigger would have begun a run for before; asked once, when a workflow is switched on."""
        ...


TRIGGERS: Registry[Trigger] = Registry("workflow trigger")


@dataclass(frozen=True)
class SegmentEntered:
    """``{"kind": "segment.entered", "segment": "at-risk"}``: a customer becomes a member. Initial memberships begin nothing."""

    name: str = "segment.entered"
    events: frozenset[str] = frozenset({"segment.entered"})

    def check(self, settings: Mapping[str, Any]) -> None:
        refuse_unknown(settings, "kind", "segment")
        if not isinstance(settings.get("segment"), str):
            raise StepProblem('needs the key of a segment, such as "segment": "at-risk"')

    def describe(self, settings: Mapping[str, Any], names: Names) -> str:
        return f"When a customer enters {name_of(names, 'segment', settings['segment'])}"

    def arrivals(self, settings: Mapping[str, Any], events: Sequence[Recorded]) -> list[Arrival]:
        wanted = [
            e
            for e in events
            if e.data.get("segment") == settings["segment"] and not e.is_history and e.profile_id is not None
        ]
        owners = customers_of(e.profile_id for e in wanted if e.profile_id is not None)
        return list(_as_arrivals(wanted, owners))

    def already_there(self, settings: Mapping[str, Any], at: datetime) -> list[Arrival]:
        rows = (
            members(get_segment(settings["segment"]))
            .order_by("id")
            .values_list("customer_id", "profile_id", "id", "entered_at")
        )
        return [
            Arrival(
                customer,
                profile,
                _key(membership),
                at,
                {"kind": "already there", "since": entered_at.isoformat(), "membership": membership},
            )
            for customer, profile, membership, entered_at in rows
        ]


def _key(membership: int) -> str:
    """The entry is the membership: found by its event or as already there, it begins one run."""
    return f"membership {membership}"


def _as_arrivals(events: Sequence[Recorded], owners: Mapping[int, int]) -> Iterable[Arrival]:
    for event in events:
        profile = event.profile_id
        if profile is None or profile not in owners:
            continue
        plain = {name: value for name, value in event.data.items() if isinstance(value, bool | int | str)}
        entry = {"event": event.position, "kind": event.kind, **plain}
        key = _key(event.data["membership"]) if "membership" in event.data else f"event {event.position}"
        yield Arrival(owners[profile], profile, key, event.occurred_at, entry)


@dataclass(frozen=True)
class CartTrigger:
    """``{"kind": "cart.abandoned"}``: something happened to a customer's cart. Carts of before begin nothing."""

    name: str
    words: str

    @property
    def events(self) -> frozenset[str]:
        return frozenset({self.name})

    def check(self, settings: Mapping[str, Any]) -> None:
        refuse_unknown(settings, "kind")

    def describe(self, settings: Mapping[str, Any], names: Names) -> str:
        return self.words

    def arrivals(self, settings: Mapping[str, Any], events: Sequence[Recorded]) -> list[Arrival]:
        wanted = [e for e in events if not e.is_history and e.profile_id is not None]
        return list(_as_arrivals(wanted, customers_of(e.profile_id for e in wanted if e.profile_id is not None)))

    def already_there(self, settings: Mapping[str, Any], at: datetime) -> list[Arrival]:
        return []


TRIGGERS.register("segment.entered", SegmentEntered())
for trigger in (
    CartTrigger("cart.abandoned", "When a customer leaves a cart behind"),
    CartTrigger("cart.recovered", "When a customer orders a cart that was left behind"),
    CartTrigger("cart.ordered", "When a customer orders a cart"),
):
    TRIGGERS.register(trigger.name, trigger)
