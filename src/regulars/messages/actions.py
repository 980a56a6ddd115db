"""The action 'send a mail', which workflows can take: it plans one message in the ledger, in the transaction that writes the runs."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Count

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.ids import new_uid, to_public
from regulars.messages.labels import LABELS, reason_in_words, state_pill
from regulars.messages.models import Message, MessageTemplate
from regulars.messages.queries import seen_by
from regulars.workflows.steps.action import ActionKind, Intent, NodeFigure, NodeOutcome, register
from regulars.workflows.steps.kinds import Names, StepProblem, name_of, refuse_unknown

USEFUL_FOR = timedelta(days=3)

_PLAN = """
INSERT INTO outbox_message (uid, effect_key, run_id, node, customer_id, profile_id, brand_id, template_id, channel, topic, is_marketing, state,
    reason, sentence, planned_at, due_at, expires_at, attempts, lease_owner, fence, reply)
SELECT v.uid, v.key, v.run, v.node, v.customer, v.profile, coalesce(s.brand_id, (SELECT min(id) FROM shop_brand)), v.template, 'email', v.topic,
    v.is_marketing, 'planned', '', '', v.at, v.at, v.expires_at, 0, '', 0, ''
FROM unnest(%s::uuid[], %s::bytea[], %s::bigint[], %s::text[],
    %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::boolean[], %s::timestamptz[],
    %s::timestamptz[]) AS v(uid, key, run, node, customer, profile, template, topic, is_marketing, at, expires_at)
JOIN customers_profile p ON p.id = v.profile LEFT JOIN shop_store s ON s.id = p.store_id
ON CONFLICT (effect_key) DO NOTHING
"""


class MissingTemplate(Exception):
    """A workflow sends a template that is not there."""


def check(settings: Mapping[str, Any]) -> None:
    """Settings of the step: ``{"kind": "send_mail", "template": "win-back", "useful_for": {"days": 3}}``."""
    refuse_unknown(settings, "template", "useful_for")
    if not isinstance(settings.get("template"), str) or not settings["template"]:
        raise StepProblem('needs the key of a template, such as "template": "win-back"')
    if "useful_for" in settings:
        _useful_for(settings)


def words(settings: Mapping[str, Any], names: Names) -> str:
    return f"send the mail '{name_of(names, 'template', settings['template'])}'"


def _useful_for(settings: Mapping[str, Any]) -> timedelta:
    given = settings.get("useful_for")
    if given is None:
        return USEFUL_FOR
    if (
        not isinstance(given, Mapping)
        or list(given) != ["days"]
        or not isinstance(given["days"], int)
        or not 1 <= given["days"] <= 30
    ):
        raise StepProblem('needs 1 to 30 days, such as "useful_for": {"days": 3}')
    return timedelta(days=given["days"])


class MailCarrier:
    """Puts a planned message into the ledger for each intent; the same intent twice is one message."""

    def names(self) -> Names:
        return {("template", key): name for key, name in MessageTemplate.objects.values_list("key", "name")}

    def plan(self, intents: Sequence[Intent]) -> None:
        """Raises MissingTemplate."""
        wanted = {str(i.settings["template"]) for i in intents}
        templates = {t.key: t for t in MessageTemplate.objects.filter(key__in=wanted, live__isnull=False)}
        if missing := wanted - templates.keys():
            raise MissingTemplate(f"there is no template '{min(missing)}'")
        rows = [_row(i, templates[str(i.settings["template"])]) for i in intents]
        with connection.cursor() as cursor:
            cursor.execute(_PLAN, [list(column) for column in zip(*rows, strict=True)])

    def figures(self, workflow_key: str, workflow_id: int, viewer: Viewer) -> Mapping[str, Sequence[NodeFigure]]:
        """What became of the messages of each node, each with the list that shows them."""
        rows = seen_by(Message.objects.filter(run__workflow=workflow_id), viewer)
        counts: dict[str, dict[str, int]] = {}
        for node, state, count in rows.values_list("node", "state").annotate(Count("id")):
            counts.setdefault(node, {})[state] = count
        return {
            node: [
                NodeFigure(LABELS[state], states[state], f"/messages?workflow={workflow_key}&node={node}&state={state}")
                for state in LABELS
                if state in states
            ]
            for node, states in counts.items()
        }

    def outcomes(self, run_id: int) -> Mapping[str, NodeOutcome]:
        """The message that each node of a run planned."""
        found = {}
        for message in Message.objects.filter(run=run_id).order_by("id"):
            pill, why = state_pill(message.state), reason_in_words(message.reason)
            words = f"{pill.text}: {why}" if message.state != "sent" and why else str(pill.text)
            found[message.node] = NodeOutcome(words, f"/messages/{to_public(Message.PREFIX, message.uid)}", pill.tone)
        return found


def _row(intent: Intent, template: MessageTemplate) -> tuple[Any, ...]:
    return (
        new_uid(),
        intent.key,
        intent.run_id,
        intent.node,
        intent.customer_id,
        intent.profile_id,
        template.id,
        template.topic,
        template.is_marketing,
        intent.at,
        intent.at + _useful_for(intent.settings),
    )


register(ActionKind("send_mail", "Send a mail", "mail", check, words), MailCarrier())
