"""What people agreed to, on the timeline."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.pages.registries import TIMELINE, Reason, TimelineEntry, TimelineKind
from regulars.record.consent import events
from regulars.record.customers.queries import profiles_of
from regulars.record.events.models import Event

_KINDS = (events.CHANGED, events.SUPPRESSED, events.UNSUPPRESSED, events.LEFT_ALONE, events.NOT_LEFT_ALONE)


def load(customer_id: int, viewer: Viewer, before: datetime | None, limit: int) -> Sequence[TimelineEntry]:
    profiles = profiles_of([customer_id], viewer.store_ids).get(customer_id, [])
    rows = Event.objects.filter(profile_id__in=profiles, kind__in=_KINDS)
    if before:
        rows = rows.filter(occurred_at__lt=before)
    return [_entry(row) for row in rows.order_by("-occurred_at", "-position")[:limit]]


def _entry(event: Event) -> TimelineEntry:
    said = event.data
    why = (Reason(gettext("How"), str(said["method"])),) if said.get("method") else ()
    return TimelineEntry(f"event-{event.position}", "consent", event.occurred_at, _words(event), why=why)


def _words(event: Event) -> str:
    said = event.data
    match event.kind:
        case events.CHANGED:
            words = {"granted": gettext("Agreed to %s"), "denied": gettext("Said no to %s")}
            return str(
                words.get(said.get("state", ""), gettext("Consent to %s not known"))
                % f"{said.get('topic', '')} ({said.get('channel', '')})"
            )
        case events.SUPPRESSED:
            return str(gettext("Address may not be written to any more: %s") % said.get("reason", ""))
        case events.UNSUPPRESSED:
            return str(gettext("Address may be written to again: %s") % said.get("reason", ""))
        case events.LEFT_ALONE:
            return gettext("Staff decided: do not contact")
    return gettext("Staff decided: may be contacted again")


TIMELINE.register("consent", TimelineKind(_("Consent"), "shield-check", "consent.view", load, order=40))
