"""The whole thread: an entry into a segment becomes a run, the run waits, checks and sends, and the mail truly leaves."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from regulars.foundation.shop.settings import write_setting
from regulars.messages.drive import drive
from regulars.messages.models import Message
from regulars.messages.operations import Draft, save_template
from regulars.messages.tests.sink import Sink, key_of
from regulars.record.events.models import Event
from regulars.workflows.models import Run, RunStep
from regulars.workflows.operations import save_version, switch_on
from regulars.workflows.tests.factories import AT, DAY, DEFINITION, enter, make_people, make_shop, membership

pytestmark = pytest.mark.django_db
BODY = "<mj-section><mj-column><mj-text>Hello {{ customer.first_name }}</mj-text></mj-column></mj-section>"


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with Sink() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        settings.SENDING, settings.COOL_OFF = True, timedelta(0)
        write_setting("sending.enabled_at", (AT - 30 * DAY).isoformat(), AT)
        yield sink


@pytest.fixture
def outside() -> Iterator[set[int]]:
    outside: set[int] = set()
    with membership(outside):
        yield outside


def live_workflow() -> None:
    save_template("win-back", "Win back", Draft("We miss you, {{ customer.first_name }}", "", BODY), None, AT)
    switch_on(save_version("win-back", DEFINITION, None, AT).workflow, AT)


def test_an_entry_becomes_one_mail(sink: Sink, outside: set[int]) -> None:
    store = make_shop()
    people = make_people(3, store)
    live_workflow()
    outside.add(people[2][0])
    enter(people, AT)

    assert drive(AT).messages == 0
    assert list(Run.objects.values_list("state", "node", "wake_at")) == [("active", "wait", AT + 3 * DAY)] * 3
    drive(AT + 2 * DAY)
    assert not sink.mails
    drive(AT + 3 * DAY)

    assert sorted(str(m["To"]) for m in sink.mails) == [
        "Person1 Test <person1@people.example>",
        "Person2 Test <person2@people.example>",
    ]
    assert sorted(str(m["Subject"]) for m in sink.mails) == ["We miss you, Person1", "We miss you, Person2"]
    assert list(Run.objects.order_by("customer_id").values_list("state", "outcome")) == [("ended", "completed")] * 2 + [
        ("ended", "left the segment")
    ]
    assert set(sink.counts().values()) == {1}
    assert sorted(bytes(m.effect_key).hex() for m in Message.objects.all()) == sorted(sink.counts())
    assert set(Message.objects.values_list("state", "sent_at")) == {("sent", AT + 3 * DAY)}
    trace = (
        RunStep.objects.filter(run=Run.objects.get(customer=people[2][0]))
        .order_by("number")
        .values_list("node", "decision", "values")
    )
    assert [(node, decision) for node, decision, _ in trace] == [
        ("wait", "next"),
        ("check", "no"),
        ("left", "left the segment"),
    ]
    assert list(trace)[1][2] == [["test.member (segment at-risk)", False, "test"]]
    assert Event.objects.filter(kind="message.sent").count() == 2

    before = len(sink.mails)
    assert (drive(AT + 4 * DAY).steps, len(sink.mails)) == (0, before)
    assert key_of(sink.raw[0]) in sink.counts()
