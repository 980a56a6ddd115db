"""Pages of workflows and messages, through HTTP: what staff see and do, and what recipients do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

from regulars.foundation import clock
from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.ids import to_public
from regulars.insight.segments.operations import ensure_rfm_segments
from regulars.messages import links
from regulars.messages.drive import drive
from regulars.messages.library import install
from regulars.messages.models import Message
from regulars.messages.operations import is_subscribed
from regulars.messages.sending.switch import switch_sending
from regulars.messages.tests.sink import Sink
from regulars.record.consent.models import ConsentEntry
from regulars.record.customers.operations.erasure import erase_customer
from regulars.workflows.models import Run, Workflow
from regulars.workflows.operations import save_version, switch_on
from regulars.workflows.panels import load_runs
from regulars.workflows.tests.factories import DAY, DEFINITION, enter, make_people, make_shop, membership

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader() -> Client:
    """Somebody who may look, and do nothing."""
    member = StaffMember.objects.create(email="reader@shop.example", name="Rea Reader", role="read_only")
    client = Client()
    client.force_login(member)
    return client


@contextmanager
def may_send() -> Iterator[None]:
    """Mail goes to a server of our own, and nobody is a member of anything."""
    with (
        Sink() as sink,
        membership(set()),
        override_settings(
            EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=sink.port,
            SENDING=True,
            COOL_OFF=timedelta(0),
        ),
    ):
        yield


@pytest.fixture(scope="module")
def mail(making_once: Path) -> Message:
    """One, sent by the thread."""
    at = clock.now()
    with may_send():
        switch_sending(is_on=True, at=at - 10 * DAY)
        store = make_shop()
        ensure_rfm_segments(at)
        install("win-back", at)
        workflow = save_version("test", {**DEFINITION, "name": "Test flow"}, None, at).workflow
        switch_on(workflow, at - 5 * DAY)
        enter(make_people(1, store), at - 5 * DAY)
        drive(at - 5 * DAY)
        drive(at - DAY)
    return Message.objects.get()


@pytest.fixture(autouse=True)
def sent(mail: Message, made_once: None) -> Iterator[Message]:
    with may_send():
        yield Message.objects.get()


def href(message: Message) -> str:
    return f"/messages/{to_public(Message.PREFIX, message.uid)}"


@pytest.mark.parametrize(
    "path",
    [
        "/workflows",
        "/runs",
        "/runs?state=ended&workflow=test",
        "/messages",
        "/messages?state=sent&node=mail",
        "/messages/templates",
        "/messages/sending",
        "/messages/templates/win-back",
    ],
)
def test_pages_answer(staff: Client, sent: Message, path: str) -> None:
    assert staff.get(path).status_code == 200


def test_one_workflow_counts_who_is_where(staff: Client, sent: Message) -> None:
    workflow = Workflow.objects.get(key="test")
    page = staff.get(f"/workflows/{to_public(Workflow.PREFIX, workflow.uid)}").content.decode()
    assert "When a customer enters At Risk" in page
    for door in re.findall(r'data-door data-count="(\d+)" href="([^"]+)"', page):
        rows = staff.get(door[1].replace("&amp;", "&")).content.decode()
        assert f'data-total="{door[0]}"' in rows, door


def test_a_run_tells_why(staff: Client, sent: Message) -> None:
    run = Run.objects.get()
    page = staff.get(f"/runs/{to_public(Run.PREFIX, run.uid)}").content.decode()
    assert "Wait 3 days" in page
    assert "Is a member (segment at-risk): <strong>yes</strong> (test)" in page
    assert href(sent) in page


def test_the_timeline_says_what_its_links_open(staff: Client, sent: Message) -> None:
    page = staff.get(f"/customers/{to_public('cus', sent.customer.uid)}").content.decode()
    assert f'<a href="{href(sent)}">Open the mail</a>' in page
    assert ">Open the run</a>" in page
    assert ">Open</a>" not in page


def test_the_timeline_gives_no_reason_that_was_erased(staff: Client, sent: Message) -> None:
    viewer = Viewer(None, frozenset({"workflows.view"}))
    assert load_runs(sent.customer_id, viewer, None, 5)[0].why
    erase_customer(sent.customer_id, SYSTEM, clock.now())
    assert load_runs(sent.customer_id, viewer, None, 5)[0].why == ()


def test_nobody_is_offered_what_they_may_not_do(staff: Client, reader: Client, sent: Message) -> None:
    Run.objects.update(state="stuck", outcome="", wake_at=sent.planned_at)
    paths = (
        "/workflows",
        "/workflows/test",
        "/workflows/win-back",
        f"/runs/{to_public(Run.PREFIX, Run.objects.get().uid)}",
    )
    offers = re.compile(r"Add, switched off|Switch on|Switch off|Try again")
    assert [offers.findall(staff.get(path).content.decode()) for path in paths] == [
        ["Add, switched off"] * 2,  # recipes that are not taken up yet
        ["Switch off"],
        ["Switch on"],
        ["Try again"],
    ]
    assert [offers.findall(reader.get(path).content.decode()) for path in paths] == [[], [], [], []]


def test_a_message_is_shown_as_it_was_sent(staff: Client, sent: Message) -> None:
    page = staff.get(href(sent)).content.decode()
    assert "Person1, it has been a while" in page
    assert 'sandbox title="The mail" srcdoc="' in page
    assert "Said yes by checkout" in page or "Said yes" in page


def test_a_template_with_a_mistake_is_refused_and_nothing_changes(staff: Client, sent: Message) -> None:
    before = sent.template.versions.count()
    answer = staff.post("/messages/templates/win-back", {"subject": "Hi", "preheader": "", "body": "{% for %}"})
    assert (answer.status_code, sent.template.versions.count()) == (400, before)
    answer = staff.post(
        "/messages/templates/win-back/preview", {"subject": "Hi {{ customer.first_name }}", "preheader": "", "body": ""}
    )
    assert "Hi Ada" in answer.content.decode()


def test_a_test_goes_to_oneself_and_into_no_ledger(staff: Client, sent: Message, settings: Any) -> None:
    draft = {"subject": "Hi {{ customer.first_name }} from {{ shop.name }}", "preheader": "", "body": ""}
    with Sink() as sink:
        settings.EMAIL_PORT = sink.port
        page = staff.post("/messages/templates/win-back/test", draft).content.decode()
        assert "A test is on its way to owner@shop.example." in page
        assert [(m["To"], m["Subject"]) for m in sink.mails] == [
            ("owner@shop.example", "[Test] Hi Ada from Lantern & Co")
        ]
        settings.RECIPIENTS = ["*@people.example"]
        page = staff.post("/messages/templates/win-back/test", draft).content.decode()
        assert "not on the list of permitted recipients" in page
        assert "Hi Ada from Lantern &amp; Co" in page  # the preview beside it
        assert (len(sink.mails), Message.objects.count()) == (1, 1)


def unsubscribe_path(message: Message) -> str:
    return (
        links.link_to(links.UNSUBSCRIBE, links.public_id_of(message)).partition("/unsubscribe")[1]
        + links.link_to(links.UNSUBSCRIBE, links.public_id_of(message)).partition("/unsubscribe")[2]
    )


def test_opening_the_link_changes_nothing(sent: Message) -> None:
    answer = Client(enforce_csrf_checks=True).get(unsubscribe_path(sent))
    assert (answer.status_code, is_subscribed(sent)) == (200, True)
    assert answer.cookies.get("csrftoken") is None
    assert answer["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
def test_one_click_works_without_cookies_and_twice(sent: Message, content_type: str) -> None:
    multipart = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
    body = multipart if content_type.startswith("multipart") else b"List-Unsubscribe=One-Click"
    before = ConsentEntry.objects.count()
    for _ in range(2):
        answer = Client(enforce_csrf_checks=True).post(unsubscribe_path(sent), body, content_type=content_type)
        assert (answer.status_code, (answer.cookies.items() and True) or False) == (200, False)
    assert not is_subscribed(sent)
    assert ConsentEntry.objects.count() == before + 1
    assert ConsentEntry.objects.order_by("-id")[0].method == "one-click"


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p[:-1] + ("a" if p[-1] != "a" else "b"),
        lambda p: p.replace("unsubscribe", "preferences"),
        lambda p: p + "é",
        lambda p: p.split(".")[0],
    ],
)
def test_an_altered_link_leads_nowhere(sent: Message, change: Any) -> None:
    assert Client().post(change(unsubscribe_path(sent))).status_code == 404
    assert is_subscribed(sent)


def test_preferences_can_be_taken_back(sent: Message) -> None:
    path = unsubscribe_path(sent).replace("unsubscribe", "preferences").rpartition(".")[0]
    address = links.link_to(links.PREFERENCES, links.public_id_of(sent))
    path = address[address.index("/preferences") :]
    client = Client(enforce_csrf_checks=True)
    client.post(path, {"news": "no"})
    assert not is_subscribed(sent)
    client.post(path, {"news": "yes"})
    assert is_subscribed(sent)
    assert "checked" in client.get(path).content.decode()


def test_an_erased_person_can_still_say_no(sent: Message) -> None:
    erase_customer(sent.customer_id, SYSTEM, clock.now())
    client = Client(enforce_csrf_checks=True)
    assert [client.get(unsubscribe_path(sent)).status_code, client.post(unsubscribe_path(sent)).status_code] == [
        200,
        200,
    ]
    assert not is_subscribed(sent)


def test_an_erased_person_cannot_say_yes_by_an_old_mail(sent: Message) -> None:
    """Their address is gone; a yes would make it known again."""
    Client().post(unsubscribe_path(sent))
    erase_customer(sent.customer_id, SYSTEM, clock.now())
    address = links.link_to(links.PREFERENCES, links.public_id_of(sent))
    before = ConsentEntry.objects.count()
    assert Client().post(address[address.index("/preferences") :], {"news": "yes"}).status_code == 410
    assert (ConsentEntry.objects.count(), is_subscribed(sent)) == (before, False)
