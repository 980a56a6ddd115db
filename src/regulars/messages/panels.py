"""Messages in the navigation and the timeline."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlencode

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.ids import to_public
from regulars.foundation.pages.registries import (
    FINDINGS,
    NAVIGATION,
    TIMELINE,
    Finding,
    FindingSource,
    Group,
    NavigationEntry,
    Reason,
    TimelineEntry,
    TimelineKind,
)
from regulars.messages.labels import reason_in_words, state_pill
from regulars.messages.models import Message, MessageState
from regulars.messages.queries import BY_SWITCH, count_held_by_switch, messages_of_customer
from regulars.workflows.models import Run


def load_messages(customer_id: int, viewer: Viewer, before: datetime | None, limit: int) -> Sequence[TimelineEntry]:
    return [_entry(message) for message in messages_of_customer(customer_id, viewer, before, limit)]


def _entry(message: Message) -> TimelineEntry:
    name = {"name": message.template.name}
    is_sent = message.state == MessageState.SENT
    title = gettext("Got the mail '%(name)s'") % name if is_sent else gettext("Mail '%(name)s'") % name
    detail = "" if is_sent else f"{state_pill(message.state).text}: {reason_in_words(message.reason)}".rstrip(": ")
    why = [Reason(gettext("Delivery"), message.sentence or str(state_pill(message.state).text))]
    if message.run is not None:
        why.insert(
            0, Reason(gettext("Workflow"), message.run.workflow.name, f"/runs/{to_public(Run.PREFIX, message.run.uid)}")
        )
    if message.reason:
        why.append(Reason(gettext("Permission"), reason_in_words(message.reason)))
    href = f"/messages/{to_public(Message.PREFIX, message.uid)}"
    return TimelineEntry(f"message-{message.pk}", "message", message.planned_at, title, detail, href, why=tuple(why))


def look(viewer: Viewer, at: datetime) -> list[Finding]:
    """What home should say of messages: some are held back until sending is on. A workflow that is off says so itself."""
    held = count_held_by_switch(viewer)
    if not held:
        return []
    sentence = gettext("%d messages are held back until sending is on.") % held
    rows = "/messages?" + urlencode({"state": MessageState.HELD.value, "reason": BY_SWITCH}, doseq=True)
    return [Finding(sentence, gettext("Look at sending"), "/messages/sending", 70, held, rows)]


NAVIGATION.register(
    "messages",
    NavigationEntry(Group.AUTOMATE, _("Messages"), "messages", "send", "messages.view", order=20, by_store=True),
)
TIMELINE.register(
    "message", TimelineKind(_("Messages"), "mail", "messages.view", load_messages, order=30, opens=_("Open the mail"))
)
FINDINGS.register("messages", FindingSource("messages.view", look))
