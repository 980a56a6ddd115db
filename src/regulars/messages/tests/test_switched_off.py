"""A workflow that is off: nothing that its runs planned leaves, whatever it was waiting for."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.ids import to_public
from regulars.messages.models import Message
from regulars.messages.operations import Draft, save_template
from regulars.messages.panels import look
from regulars.messages.sending import marking
from regulars.messages.sending.driving import send_all, send_batch
from regulars.messages.sending.switch import switch_sending
from regulars.messages.tests.sink import Sink
from regulars.record.events.models import Event
from regulars.record.events.readers import READERS, catch_up
from regulars.workflows.models import Workflow
from regulars.workflows.operations import save_version, switch_off, switch_on
from regulars.workflows.runs.driving import work_off
from regulars.workflows.tests.factories import AT, DAY, DEFINITION, enter, make_people, make_shop, membership

pytestmark = pytest.mark.django_db
BODY = "<mj-section><mj-column><mj-text>Hello</mj-text></mj-column></mj-section>"
DUE = AT + 3 * DAY
OWNER = Viewer(1, frozenset({"messages.view"}))
OFF = ("held", "workflow-off")


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with Sink() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        settings.SENDING, settings.COOL_OFF = True, timedelta(0)
        switch_sending(is_on=True, at=AT - 30 * DAY)
        yield sink


@pytest.fixture
def workflow(sink: Sink) -> Iterator[Workflow]:
    """Two people got as far as the mail, which is planned and useful for three days from ``DUE``."""
    with membership(set()):
        save_template("win-back", "Win back", Draft("Hi", "", BODY), None, AT)
        workflow = save_version("win-back", DEFINITION, None, AT).workflow
        switch_on(workflow, AT)
        enter(make_people(2, make_shop()), AT)
        catch_up([READERS["workflows.entries"]], AT)
        work_off("w", AT)
        work_off("w", DUE)
        yield workflow


def states() -> list[tuple[str, str]]:
    return list(Message.objects.order_by("id").values_list("state", "reason"))


def test_what_was_planned_stays_until_it_is_on_again(workflow: Workflow, sink: Sink) -> None:
    assert states() == [("planned", "")] * 2
    switch_off(workflow, DUE)
    send_all("w", DUE)
    send_all("w", DUE + timedelta(hours=1))
    assert (states(), sink.mails) == ([OFF] * 2, [])
    assert Event.objects.filter(kind="message.held").count() == 2
    assert Message.objects.order_by("id")[0].sentence == "Its workflow 'Win back' is switched off"
    switch_on(workflow, DUE + DAY)
    send_all("w", DUE + DAY)
    assert (states(), len(sink.mails)) == ([("sent", "consent")] * 2, 2)


def test_what_is_of_no_use_any_more_ends_although_it_is_off(workflow: Workflow, sink: Sink) -> None:
    switch_off(workflow, DUE)
    send_all("w", DUE)
    send_all("w", DUE + 3 * DAY - timedelta(seconds=1))
    assert states() == [OFF] * 2
    send_all("w", DUE + 3 * DAY)
    assert states() == [("skipped", "expired")] * 2
    switch_on(workflow, DUE + 3 * DAY)
    send_all("w", DUE + 3 * DAY)
    assert sink.mails == []


def test_what_the_caps_put_off_does_not_leave_either(workflow: Workflow, sink: Sink) -> None:
    Message.objects.update(due_at=DUE + DAY, reason="cap", sentence="Later")
    switch_off(workflow, DUE)
    send_all("w", DUE)
    assert states() == [("planned", "cap")] * 2
    send_all("w", DUE + DAY)
    assert (states(), sink.mails) == ([OFF] * 2, [])


def test_what_was_held_because_sending_was_off_does_not_leave_either(
    workflow: Workflow, sink: Sink, settings: Any
) -> None:
    settings.SENDING = False
    send_all("w", DUE)
    switch_off(workflow, DUE)
    assert states() == [("held", "sending-off")] * 2
    settings.SENDING = True
    send_all("w", DUE)
    assert (states(), sink.mails) == ([OFF] * 2, [])
    settings.SENDING = False
    switch_on(workflow, DUE)
    send_all("w", DUE)
    assert (states(), sink.mails) == ([("held", "sending-off")] * 2, [])


def test_other_workflows_and_mails_of_none_go_on(workflow: Workflow, sink: Sink) -> None:
    Message.objects.filter(pk=Message.objects.order_by("id")[1].pk).update(run=None)
    switch_off(workflow, DUE)
    send_all("w", DUE)
    assert (states(), len(sink.mails)) == ([OFF, ("sent", "consent")], 1)


def test_home_speaks_of_the_switch_only_where_that_holds_back(
    workflow: Workflow, sink: Sink, settings: Any, client: Client
) -> None:
    client.force_login(StaffMember.objects.create(email="ola@shop.example", name="Ola", role="owner"))
    off = client.post(f"/workflows/{to_public('wf', workflow.uid)}/switch", {"to": "off"}, follow=True)
    assert "What it planned and has not left is held back." in off.content.decode()
    send_all("w", DUE)
    assert (states(), look(OWNER, DUE)) == ([OFF] * 2, [])
    switch_on(workflow, DUE)
    settings.SENDING = False
    Message.objects.update(state="planned")
    send_all("w", DUE)
    [finding] = look(OWNER, DUE)
    assert (finding.sentence, finding.count) == ("2 messages are held back until sending is on.", 2)
    assert 'data-total="2"' in client.get(finding.count_href).content.decode()


@pytest.mark.django_db(transaction=True)
def test_switching_off_waits_for_the_marks_of_whoever_found_it_on(
    workflow: Workflow, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So once it says that it is off, no other mail is marked: what counts as being sent then was so before."""
    real = marking._write_sending
    marked: list[int | str] = []
    threads: list[threading.Thread] = []

    def switch() -> None:
        switch_off(Workflow.objects.get(), DUE)
        marked.append(Message.objects.exclude(state="planned").count())
        connection.close()

    def slowly(*args: Any) -> None:
        threads.append(threading.Thread(target=switch))
        threads[0].start()
        threads[0].join(0.5)
        marked.append("still waiting")
        real(*args)

    monkeypatch.setattr(marking, "_write_sending", slowly)
    send_batch("w", DUE)
    threads[0].join()
    assert marked == ["still waiting", 2]
    assert states() == [("sent", "consent")] * 2
