"""Messages: what was sent, what was not and why; one message as its reader sees it; templates; the switch."""

from typing import Any

from django.contrib import messages as notes
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import Viewer, viewer_of
from regulars.foundation.audit.operations import record
from regulars.foundation.errors import RegularsError
from regulars.foundation.ids import to_public
from regulars.foundation.pages.formats import format_full, format_number
from regulars.foundation.pages.listing import show_list
from regulars.foundation.pages.lists import Choices, Column, Empty, Filter, ListPage, ListQuery
from regulars.foundation.pages.paging import Order
from regulars.foundation.shop.models import Brand
from regulars.messages import operations, queries
from regulars.messages.labels import LABELS, REASONS, reason_in_words, state_pill
from regulars.messages.models import Message, MessageTemplate
from regulars.messages.operations import Draft
from regulars.messages.rendering.renderer import RENDERER, CannotRender
from regulars.messages.sending.switch import read_switch, switch_sending
from regulars.record.customers.named import with_names
from regulars.workflows.models import Run
from regulars.workflows.queries import customer_href


def _templates(viewer: Viewer) -> Choices:
    return list(MessageTemplate.objects.order_by("name").values_list("key", "name"))


def _workflows(viewer: Viewer) -> Choices:
    rows = Message.objects.filter(run__isnull=False).values_list("run__workflow__key", "run__workflow__name").distinct()
    return sorted(set(rows), key=lambda pair: pair[1])


def _states(viewer: Viewer) -> Choices:
    return [(state, words.capitalize()) for state, words in LABELS.items()]


def _sentence(query: ListQuery, viewer: Viewer) -> str:
    refusal = read_switch().refusal(clock.now())
    return refusal.sentence + "." if refusal else gettext("Sending is on.")


MESSAGES = ListPage(
    name="messages",
    title=_("Messages"),
    columns=[
        Column("name", _("To"), "strong"),
        Column("template", _("Template"), value=lambda one: one.row.template.name),
        Column("state", _("State"), "pill", value=lambda one: state_pill(one.row.state)),
        Column("why", _("Why"), value=lambda one: reason_in_words(one.row.reason).capitalize(), on_phone=False),
        Column(
            "workflow",
            _("Workflow"),
            value=lambda one: one.row.run.workflow.name if one.row.run else "",
            on_phone=False,
        ),
        Column("planned", _("Planned"), "when", value=lambda one: one.row.planned_at, sort="planned"),
        Column("sent", _("Sent"), "when", value=lambda one: one.row.sent_at, on_phone=False),
    ],
    filters=[
        Filter("state", _("State"), choices=_states),
        Filter("reason", _("Why"), choices=lambda viewer: list(REASONS.items())),
        Filter("template", _("Template"), choices=_templates),
        Filter("workflow", _("Workflow"), choices=_workflows),
        Filter("planned", _("Planned"), "date"),
        Filter("node", _("Step"), "hidden", describe=str),
        Filter("customer", _("Customer"), "hidden", describe=lambda value: gettext("one of them")),
    ],
    default_sort="-planned",
    rows=queries.messages_matching,
    sorts={"planned": Order("planned_at")},
    present=with_names,
    by_store=True,
    sentence=_sentence,
    href=lambda one: f"/messages/{to_public(Message.PREFIX, one.row.uid)}",
    unit=lambda n: ngettext("%s message", "%s messages", n) % format_number(n),
    tabs=[(_("Messages"), "/messages"), (_("Templates"), "/messages/templates"), (_("Sending"), "/messages/sending")],
    empty=Empty(
        _("Nothing has been written yet"),
        _("Workflows write to customers. Every message is kept here, with the reason why it was sent or was not."),
        _("Workflows"),
        "/workflows",
        "send",
    ),
)


@requires("messages.view")
def messages(request: HttpRequest) -> HttpResponseBase:
    return show_list(request, MESSAGES)


@requires("messages.view")
def one_message(request: HttpRequest, public_id: str) -> HttpResponse:
    viewer = viewer_of(request)
    message = queries.get_message(public_id, viewer)
    [one] = with_names([message], viewer)
    context: dict[str, Any] = {
        "title": one.name,
        "message": message,
        "pill": state_pill(message.state),
        "why": reason_in_words(message.reason),
        "sentence": _message_sentence(message),
        "customer_href": customer_href(message.customer),
        "run_href": f"/runs/{to_public(Run.PREFIX, message.run.uid)}" if message.run else "",
        "as": request.GET.get("as", "html"),
    }
    return render(request, "messages/one.html", context | _rendered(message, viewer))


def _message_sentence(message: Message) -> str:
    words = {"name": message.template.name, "why": message.sentence or state_pill(message.state).text}
    if message.state == "sent" and message.sent_at:
        return gettext("'%(name)s' left on %(when)s.") % {**words, "when": format_full(message.sent_at)}
    return (
        gettext("'%(name)s' did not leave. %(why)s.") % words
        if message.state in {"skipped", "failed"}
        else gettext("'%(name)s'. %(why)s.") % words
    )


def _rendered(message: Message, viewer: Viewer) -> dict[str, Any]:
    """What it said, where it was rendered and may be seen."""
    if message.context is None or not viewer.may("customers.view"):
        return {}
    try:
        sent = queries.render_again(message)
    except RegularsError as error:
        return {"unreadable": error.sentence}
    return {
        "subject": sent.rendered.subject,
        "html": sent.rendered.html,
        "text": sent.rendered.text,
        "to": sent.context["to"],
    }


@requires("messages.view")
def templates(request: HttpRequest) -> HttpResponse:
    found = queries.list_templates(viewer_of(request))
    sentence = ngettext(
        "%s mail that workflows can send.", "%s mails that workflows can send.", len(found)
    ) % format_number(len(found))
    return render(
        request, "messages/templates.html", {"title": gettext("Templates"), "sentence": sentence, "templates": found}
    )


@requires("messages.view", post="messages.edit")
def one_template(request: HttpRequest, key: str) -> HttpResponseBase:
    template = queries.get_template(key)
    draft = _draft(request) if request.method == "POST" else _live_draft(template)
    problem = ""
    if request.method == "POST":
        try:
            return _save(request, template, draft)
        except RegularsError as error:
            problem = error.sentence
    context = _template_context(request, template, draft, problem)
    return render(request, "messages/template.html", context, status=400 if problem else 200)


def _template_context(request: HttpRequest, template: MessageTemplate, draft: Draft, problem: str) -> dict[str, Any]:
    return {
        "title": template.name,
        "sentence": gettext(
            "Liquid in MJML. What is kept here is sent from then on; messages that left stay as they were."
        ),
        "template": template,
        "draft": draft,
        "problem": problem,
        "may_edit": viewer_of(request).may("messages.edit"),
    } | _previewed(draft)


@requires(post="messages.view")
def preview(request: HttpRequest, key: str) -> HttpResponse:
    """The draft in the form, rendered for a made-up person in the same fence as every mail."""
    queries.get_template(key)
    return render(request, "messages/preview.html", _previewed(_draft(request)))


@requires(post="messages.edit")
def send_test(request: HttpRequest, key: str) -> HttpResponseBase:
    """The draft in the form, sent to oneself; the page comes back with what was written."""
    viewer, at, draft = viewer_of(request), clock.now(), _draft(request)
    template = queries.get_template(key)
    address = str(getattr(request.user, "email", ""))
    try:
        operations.send_test(draft, address, at)
    except RegularsError as error:
        notes.error(request, error.sentence)
    else:
        record("template.tested", viewer, template.key, {}, at=at)
        notes.success(request, gettext("A test is on its way to %s.") % address)
    return render(request, "messages/template.html", _template_context(request, template, draft, ""))


def _draft(request: HttpRequest) -> Draft:
    return Draft(
        *(request.POST.get(name, "").replace("\r\n", "\n")[:100_000] for name in ("subject", "preheader", "body"))
    )


def _live_draft(template: MessageTemplate) -> Draft:
    live = template.live
    return Draft(live.subject, live.preheader, live.body) if live else Draft("", "", "")


def _save(request: HttpRequest, template: MessageTemplate, draft: Draft) -> HttpResponseBase:
    viewer, at = viewer_of(request), clock.now()
    with transaction.atomic():
        version = operations.save_template(
            template.key,
            template.name,
            draft,
            viewer.staff_id,
            at,
            topic=template.topic,
            is_marketing=template.is_marketing,
        )
        record("template.saved", viewer, template.key, {"version": version.number}, at=at)
    notes.success(request, gettext("Kept as version %d. It is sent from now on.") % version.number)
    return redirect("template", template.key)


def _previewed(draft: Draft) -> dict[str, str]:
    try:
        sample = operations.sample_of(Brand.objects.order_by("id").first())
        rendered = RENDERER.render(draft.source(), sample)
    except CannotRender as error:
        return {"trouble": error.sentence}
    return {"subject": rendered.subject, "html": rendered.html, "text": rendered.text}


@requires("messages.view", post="messages.sending")
def sending(request: HttpRequest) -> HttpResponseBase:
    """The global switch, with what is held back and how long it cools off."""
    viewer, at = viewer_of(request), clock.now()
    if request.method == "POST":
        is_on = request.POST.get("to") == "on"
        with transaction.atomic():
            switch_sending(is_on=is_on, at=at)
            record("sending.switched_on" if is_on else "sending.switched_off", viewer, "", {}, at=at)
        notes.success(
            request,
            gettext("Sending is switched on.") if is_on else gettext("Sending is switched off: nothing leaves."),
        )
        return redirect("sending")
    switch = read_switch()
    refusal, counts = switch.refusal(at), queries.count_by_state(viewer)
    context = {
        "title": gettext("Sending"),
        "sentence": refusal.sentence + "." if refusal else gettext("Sending is on: messages leave when they are due."),
        "switch": switch,
        "refusal": refusal,
        "held": counts.get("held", 0),
        "cool_off_hours": round(switch.cool_off.total_seconds() / 3600, 1),
        "may_switch": viewer.may("messages.sending"),
    }
    return render(request, "messages/sending.html", context)
