"""Connections in the navigation, their alarms on the home page, and who may watch a history arrive."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.connections.base.models import Connection, ConnectionState
from regulars.connections.base.platforms import PLATFORMS
from regulars.connections.base.queries import alarming_reconciliations, first_requests, list_connections
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.inbox.sources import SOURCES
from regulars.foundation.pages.formats import format_date, format_number
from regulars.foundation.pages.registries import (
    FINDINGS,
    NAVIGATION,
    WATCHERS,
    Finding,
    FindingSource,
    Group,
    NavigationEntry,
)

SOON = timedelta(days=90)


def address_of(row: Connection) -> str:
    return f"/settings/connections/{row.public_id}"


def may_watch(task_id: int, viewer: Viewer) -> bool:
    """Whoever may see the connection whose history it is."""
    return viewer.may("connections.view") and list_connections(viewer).filter(pulls__task=task_id).exists()


def find(viewer: Viewer, at: datetime) -> Sequence[Finding]:
    """Shops that do not answer, that stopped sending, of which something was missed, and what platforms wait for."""
    rows = list(list_connections(viewer))
    return [*_failing(rows), *_ageing(rows, at), *_revived(rows, at), *_missed(rows, at), *_asked(viewer)]


def _failing(rows: Sequence[Connection]) -> Iterator[Finding]:
    for row in rows:
        if row.state == ConnectionState.FAILING:
            sentence = gettext("%(shop)s cannot be read: %(problem)s") % {"shop": row.name, "problem": row.problem}
            yield Finding(sentence, gettext("See the connection"), address_of(row), 90)


def _ageing(rows: Sequence[Connection], at: datetime) -> Iterator[Finding]:
    """Shops whose platform soon serves the version no more that is spoken here, or does not serve it any more."""
    for row in rows:
        until = PLATFORMS[row.platform].served_until
        if until is None or at.date() + SOON < until:
            continue
        words = (
            gettext("%(shop)s is spoken to in a version that is served until %(day)s: install a newer Regulars before.")
            if at.date() < until
            else gettext("%(shop)s is spoken to in a version that was served until %(day)s: install a newer Regulars.")
        )
        sentence = words % {"shop": row.name, "day": format_date(until)}
        yield Finding(sentence, gettext("See the connection"), address_of(row), 70)


def _revived(rows: Sequence[Connection], at: datetime) -> Iterator[Finding]:
    for row in rows:
        mended = row.webhooks.get("last_mended_at")
        if mended and (at - datetime.fromisoformat(mended)).days < 2:
            count = row.webhooks["last_mended"]
            words = ngettext(
                "%(shop)s had switched off %(n)s webhook; it was switched on again.",
                "%(shop)s had switched off %(n)s webhooks; they were switched on again.",
                count,
            )
            sentence = words % {"shop": row.name, "n": format_number(count)}
            yield Finding(sentence, gettext("See the connection"), address_of(row), 60)


def _missed(rows: Sequence[Connection], at: datetime) -> Iterator[Finding]:
    for row, found in alarming_reconciliations(rows, at):
        words = ngettext(
            "%(n)s change of %(shop)s came by no webhook and was fetched afterwards.",
            "%(n)s changes of %(shop)s came by no webhook and were fetched afterwards.",
            found.missed,
        )
        sentence = words % {"shop": row.name, "n": format_number(found.missed)}
        yield Finding(sentence, gettext("See the connection"), address_of(row), 50)


def _asked(viewer: Viewer) -> Iterator[Finding]:
    """Of ended connections too: what they told is still here."""
    for first in first_requests(viewer):
        words = gettext("%(shop)s asks in a customer's name: to be done by %(day)s.")
        sentence = words % {"shop": first.connection.name, "day": format_date(first.due_at)}
        yield Finding(sentence, gettext("See what is asked"), address_of(first.connection), 80)


def sources(viewer: Viewer) -> dict[str, str]:
    """What the viewer's shops tell now, and what their history tells."""
    named = list_connections(viewer)
    present = {row.source: row.name for row in named}
    return present | {f"{row.source}:history": gettext("%s, its history") % row.name for row in named}


SOURCES.register("connections", sources)
NAVIGATION.register(
    "connections",
    NavigationEntry(
        Group.SET_UP, _("Connections"), "connections", "plug", "connections.view", order=10, covers=("tracking-live",)
    ),
)
FINDINGS.register("connections", FindingSource("connections.view", find))
WATCHERS.register("connection", may_watch)
