"""What can be asked of messages and templates."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.errors import NotFound
from regulars.foundation.ids import from_public
from regulars.foundation.pages.days import within_days
from regulars.foundation.pages.lists import ListQuery
from regulars.foundation.sealing import CannotOpen, Cell, unseal
from regulars.foundation.vault import keys
from regulars.messages.models import Message, MessageState, MessageTemplate
from regulars.messages.rendering.renderer import RENDERER, Rendered, Source


@dataclass(frozen=True)
class Sent:
    """What was sent, rendered again from template version and sealed context."""

    rendered: Rendered
    context: dict[str, Any]


def seen_by(rows: QuerySet[Message], viewer: Viewer) -> QuerySet[Message]:
    """Messages to a profile of the viewer's stores: of what other stores write to the same customer they see nothing."""
    if viewer.store_ids is None:
        return rows
    return rows.filter(profile__store__in=viewer.store_ids)


def messages_matching(query: ListQuery, viewer: Viewer) -> QuerySet[Message]:
    """Messages that fit the filters of the list page."""
    rows = seen_by(Message.objects.select_related("template", "customer", "run__workflow"), viewer)
    for name, column in _COLUMNS.items():
        if given := query.choices.get(name):
            rows = rows.filter(**{f"{column}__in": given})
    if query.one("customer"):
        rows = rows.filter(customer=query.row_id("customer"))
    return rows.filter(within_days("planned_at", query.dates, "planned"))


_COLUMNS = {
    "state": "state",
    "reason": "reason",
    "template": "template__key",
    "workflow": "run__workflow__key",
    "node": "node",
}


def get_message(public_id: str, viewer: Viewer) -> Message:
    """Raises NotFound, also for a message to a customer whom the viewer may not see."""
    rows = seen_by(Message.objects.filter(uid=from_public(Message.PREFIX, public_id)), viewer)
    found = rows.select_related("template", "version", "customer", "brand", "run__workflow").first()
    if found is None:
        raise NotFound(f"There is no message {public_id[:60]}")
    return found


def read_context(message: Message) -> dict[str, Any]:
    """The sealed rendering context, opened. Raises CannotOpen for an erased person, NotFound where nothing was rendered."""
    if message.context is None:
        raise NotFound("This message was never rendered")
    plain = keys.find_keys([message.profile_id])
    if message.profile_id not in plain:
        raise CannotOpen
    cell = Cell("outbox_message", "context", message.pk)
    return dict(json.loads(unseal(plain[message.profile_id], bytes(message.context), cell)))


def render_again(message: Message) -> Sent:
    """What this message said, as it was said: by the version and the context that were kept. Raises CannotOpen, NotFound."""
    context, version = read_context(message), message.version
    if version is None:
        raise NotFound("This message was never rendered")
    source = Source(version.subject, version.preheader, version.body, version.layout)
    return Sent(RENDERER.render(source, context), context)


def messages_of_customer(customer_id: int, viewer: Viewer, before: datetime | None, limit: int) -> Sequence[Message]:
    """Messages to one customer, newest first."""
    rows = seen_by(Message.objects.filter(customer=customer_id), viewer).select_related("template", "run__workflow")
    rows = rows.order_by("-planned_at", "-id")
    return list((rows.filter(planned_at__lt=before) if before else rows)[:limit])


def messages_of_runs(run_ids: Iterable[int]) -> list[Message]:
    return list(Message.objects.filter(run__in=list(run_ids)).select_related("template").order_by("id"))


@dataclass(frozen=True)
class TemplateSummary:
    """A template and what became of its messages."""

    template: MessageTemplate
    sent: int
    not_sent: int
    waiting: int

    @property
    def id(self) -> int:
        return self.template.pk

    @property
    def href(self) -> str:
        return f"/messages/templates/{self.template.key}"


def list_templates(viewer: Viewer) -> list[TemplateSummary]:
    """All templates by name; two queries."""
    waiting = [MessageState.PLANNED, MessageState.SENDING, MessageState.HELD]
    rows = (
        seen_by(Message.objects.all(), viewer)
        .values("template_id")
        .annotate(
            sent=Count("id", filter=Q(state=MessageState.SENT)),
            waiting=Count("id", filter=Q(state__in=waiting)),
            total=Count("id"),
        )
    )
    counts = {row["template_id"]: row for row in rows}
    found = []
    for template in MessageTemplate.objects.select_related("live").order_by("name"):
        row = counts.get(template.pk, {"sent": 0, "waiting": 0, "total": 0})
        found.append(
            TemplateSummary(template, row["sent"], row["total"] - row["sent"] - row["waiting"], row["waiting"])
        )
    return found


def get_template(key: str) -> MessageTemplate:
    """Raises NotFound."""
    found = MessageTemplate.objects.select_related("live").filter(key=key).first()
    if found is None:
        raise NotFound(f"There is no template '{key[:60]}'")
    return found


def count_by_state(viewer: Viewer, since: datetime | None = None) -> dict[str, int]:
    """Messages by state."""
    rows = seen_by(Message.objects.all(), viewer)
    if since is not None:
        rows = rows.filter(planned_at__gte=since)
    return dict(rows.values_list("state").annotate(Count("id")).order_by("state"))


BY_SWITCH = ("sending-off", "cool-off", "demo")  # reasons to hold back that are the same for every message


def count_held_by_switch(viewer: Viewer) -> int:
    """Messages that wait for sending to be on; those of a workflow that is off wait for that."""
    return seen_by(Message.objects.filter(state=MessageState.HELD, reason__in=BY_SWITCH), viewer).count()


def stats() -> dict[str, int]:
    """Messages by state, for ``regulars stats``."""
    return dict(Message.objects.values_list("state").annotate(Count("id")).order_by("state"))
