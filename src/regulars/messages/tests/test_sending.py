"""The ledger under every answer of a mail server, withdrawn consent, caps, the switch, and rendering again."""

import smtplib
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from regulars.foundation.errors import RegularsError
from regulars.foundation.shop.settings import write_setting
from regulars.foundation.vault.keys import destroy_keys
from regulars.messages import queries
from regulars.messages.actions import MailCarrier
from regulars.messages.channels import mail
from regulars.messages.models import Message, MessageTemplate
from regulars.messages.operations import Draft, save_template, withdraw
from regulars.messages.sending import claiming, driving
from regulars.messages.sending.driving import digest_of, send_all, send_batch
from regulars.messages.sending.switch import switch_sending
from regulars.messages.tests.sink import Sink, free_port
from regulars.record.consent.operations import leave_alone
from regulars.record.events.models import Event
from regulars.workflows.steps.action import Intent
from regulars.workflows.tests.factories import AT, DAY, make_people, make_shop

pytestmark = pytest.mark.django_db
BODY = "<mj-section><mj-column><mj-text>Hello {{ customer.first_name }}</mj-text></mj-column></mj-section>"


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with Sink() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        settings.SENDING, settings.COOL_OFF = True, timedelta(0)
        switch_sending(is_on=True, at=AT - 30 * DAY)
        save_template("offer", "Offer", Draft("An offer", "", BODY), None, AT)
        save_template("receipt", "Receipt", Draft("A receipt", "", BODY), None, AT, topic="orders", is_marketing=False)
        yield sink


def plan(people: list[tuple[int, int]], template: str = "offer", tag: int = 0) -> None:
    intents = [
        Intent(profile.to_bytes(8) + tag.to_bytes(8), None, 0, customer, profile, "mail", {"template": template}, AT)  # type: ignore[arg-type]
        for customer, profile in people
    ]
    MailCarrier().plan(intents)


def states() -> list[tuple[str, str]]:
    return list(Message.objects.order_by("id").values_list("state", "reason"))


def test_a_mail_has_all_that_a_marketing_mail_needs(sink: Sink) -> None:
    plan(make_people(1, make_shop()))
    assert send_all("w", AT) == 1
    (taken,) = sink.mails
    message = Message.objects.get()
    link = taken["List-Unsubscribe"].strip().strip("<>")
    assert taken["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert taken["Message-ID"] == f"<{bytes(message.effect_key).hex()}@lantern.example>"
    assert taken["Date"] == "Mon, 02 Nov 2026 09:00:00 +0000"
    assert [part.get_content_type() for part in taken.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    text = taken.get_payload(0).get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert link in text
    assert "Lantern & Co, 1 Road, London" in text


def test_a_mail_about_an_order_has_no_unsubscribe_link(sink: Sink) -> None:
    plan(make_people(1, make_shop(), consenting=False), "receipt")
    send_all("w", AT)
    assert sink.mails[0]["List-Unsubscribe"] is None
    assert states() == [("sent", "transactional")]


def test_what_was_sent_is_rendered_again_to_the_same_bytes(sink: Sink) -> None:
    plan(make_people(1, make_shop()))
    send_all("w", AT)
    save_template("offer", "Offer", Draft("Another", "", BODY + BODY), None, AT)
    message = Message.objects.get()
    sent = queries.render_again(message)
    raw = mail.to_bytes(mail.build(sent.rendered, sent.context))
    assert raw.rstrip() == sink.raw[0].rstrip()
    assert digest_of(raw) == bytes(message.digest or b"")
    destroy_keys([message.profile_id], AT)
    with pytest.raises(RegularsError):
        queries.render_again(message)


def test_the_same_intent_twice_is_one_message(sink: Sink) -> None:
    people = make_people(2, make_shop())
    plan(people)
    plan(people)
    send_all("w", AT)
    send_all("w", AT)
    assert (len(sink.mails), Message.objects.count()) == (2, 2)


def test_consent_is_asked_when_it_leaves_not_when_it_was_planned(sink: Sink) -> None:
    store = make_shop()
    plan(make_people(2, store))
    send_batch("w", AT)
    first, second = Message.objects.order_by("id")
    assert withdraw(first, "one-click", AT)
    assert not withdraw(first, "one-click", AT)
    leave_alone([second.customer_id], is_on=True, staff_id=1, at=AT)
    plan([(first.customer_id, first.profile_id), (second.customer_id, second.profile_id)], tag=1)
    plan(make_people(1, store, consenting=False, first=9))
    plan([(second.customer_id, second.profile_id)], "receipt", tag=2)
    send_all("w", AT + 2 * DAY)
    assert states()[2:] == [
        ("skipped", "denied"),
        ("skipped", "do-not-contact"),
        ("skipped", "no-consent"),
        ("skipped", "do-not-contact"),
    ]
    assert len(sink.mails) == 2
    assert Event.objects.filter(kind="message.skipped").count() == 4


def test_nobody_gets_more_than_the_caps_allow(sink: Sink) -> None:
    people = make_people(1, make_shop())
    for tag in range(3):
        plan(people, tag=tag)
    send_all("w", AT)
    assert len(sink.mails) == 1
    assert set(Message.objects.exclude(state="sent").values_list("state", "due_at")) == {("planned", AT + DAY)}
    send_all("w", AT + DAY)
    send_all("w", AT + 2 * DAY)
    assert len(sink.mails) == 3


def test_held_messages_leave_when_sending_is_on_and_not_when_they_are_too_old(sink: Sink, settings: Any) -> None:
    settings.SENDING = False
    store = make_shop()
    plan(make_people(2, store))
    send_all("w", AT)
    assert states() == [("held", "sending-off")] * 2
    Message.objects.filter(pk=Message.objects.order_by("id")[0].pk).update(expires_at=AT + DAY)
    settings.SENDING, settings.COOL_OFF = True, timedelta(hours=24)
    switch_sending(is_on=True, at=AT + DAY)
    send_all("w", AT + DAY + timedelta(hours=23))
    assert not sink.mails
    send_all("w", AT + 2 * DAY)
    assert states() == [("skipped", "expired"), ("sent", "consent")]


def test_the_demo_writes_to_nobody_who_could_exist(sink: Sink, settings: Any) -> None:
    write_setting("demo.shift_weeks", 700, AT)
    plan(make_people(1, make_shop()))
    settings.EMAIL_HOST = "mail.shop.com"
    send_all("w", AT)
    assert (states(), sink.mails) == ([("held", "demo")], [])
    settings.EMAIL_HOST = "127.0.0.1"
    send_all("w", AT)
    assert (states(), len(sink.mails)) == ([("sent", "consent")], 1)


@pytest.mark.parametrize(
    ("reply", "template", "expected"),
    [
        ("550 5.1.1 no such person person1@people.example", "offer", "failed"),
        ("451 4.3.0 not now", "offer", "planned"),
        ("451 4.3.0 not now", "receipt", "planned"),
    ],
)
def test_what_the_mail_server_says_decides(sink: Sink, reply: str, template: str, expected: str) -> None:
    sink.reply = reply
    plan(make_people(1, make_shop()), template)
    send_all("w", AT)
    message = Message.objects.get()
    assert message.state == expected
    assert "person1@people.example" not in message.reply
    assert (message.due_at > AT) == (expected == "planned")


def test_an_unreachable_mail_server_costs_nothing(sink: Sink, settings: Any) -> None:
    settings.EMAIL_PORT = free_port()
    plan(make_people(3, make_shop()))
    send_all("w", AT)
    assert {state for state, _ in states()} == {"planned"}
    settings.EMAIL_PORT = sink.port
    send_all("w", AT + timedelta(minutes=2))
    assert states() == [("sent", "consent")] * 3


@pytest.mark.parametrize(("template", "after", "taken"), [("offer", "unknown", 0), ("receipt", "sent", 1)])
def test_a_broken_connection_is_doubt_for_marketing_and_again_for_orders(
    sink: Sink, monkeypatch: pytest.MonkeyPatch, template: str, after: str, taken: int
) -> None:
    plan(make_people(1, make_shop()), template)
    with monkeypatch.context() as broken:
        broken.setattr(smtplib.SMTP, "data", _break)
        send_all("w", AT)
    send_all("w", AT + DAY)
    assert (states()[0][0], len(sink.mails)) == (after, taken)


def _break(*args: object) -> None:
    raise smtplib.SMTPServerDisconnected("gone")


@pytest.mark.parametrize(("template", "after", "kind"), [("offer", "unknown", 1), ("receipt", "sent", 0)])
def test_what_was_in_the_hands_of_a_dead_worker(
    sink: Sink, monkeypatch: pytest.MonkeyPatch, template: str, after: str, kind: int
) -> None:
    plan(make_people(1, make_shop()), template)
    with monkeypatch.context() as dies:
        dies.setattr(driving, "_hand_over", _die)
        with pytest.raises(KeyboardInterrupt):
            send_batch("w", AT, timedelta(0))
    assert states()[0][0] == "sending"
    send_all("w", AT)
    assert states()[0][0] == after
    assert Event.objects.filter(kind="message.unknown").count() == kind


def _die(*args: object) -> None:
    raise KeyboardInterrupt


def test_a_lease_that_was_lost_hands_nothing_over(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker stood still between marking and handing over; meanwhile another settled its messages."""
    plan(make_people(2, make_shop()))
    real = driving._hand_over

    def late(leaving: Any, lease: claiming.Lease) -> Any:
        Message.objects.update(state="unknown", lease_owner="", lease_until=None)
        lease.taken -= 1000
        return real(leaving, lease)

    monkeypatch.setattr(driving, "_hand_over", late)
    send_batch("w", AT)
    assert ({state for state, _ in states()}, sink.mails) == ({"unknown"}, [])


def test_no_mail_leaves_within_a_transaction(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    depth = len(connection.savepoint_ids)
    seen: list[int] = []
    real = mail.MailLine.hand_over

    def watched(self: mail.MailLine, envelope: mail.Envelope) -> mail.Handed:
        seen.append(len(connection.savepoint_ids))
        return real(self, envelope)

    monkeypatch.setattr(mail.MailLine, "hand_over", watched)
    plan(make_people(2, make_shop()))
    send_all("w", AT)
    assert seen == [depth, depth]


def test_a_template_that_broke_fails_its_messages_and_no_others(sink: Sink) -> None:
    people = make_people(2, make_shop())
    plan(people[:1])
    plan(people[1:], "receipt")
    version = MessageTemplate.objects.get(key="offer").live
    assert version is not None
    type(version).objects.filter(pk=version.pk).update(body="{% for %}")
    send_all("w", AT)
    assert states() == [("failed", "cannot-render"), ("sent", "transactional")]


@pytest.mark.django_db(transaction=True)
def test_no_mail_after_a_withdrawal_however_close(sink: Sink) -> None:
    """Withdrawals race with the sender: whoever got a mail got it before their 'no' was kept."""
    people = make_people(20, make_shop())
    plan(people)
    send_all("w", AT)
    asked = list(Message.objects.order_by("id"))
    plan(people, tag=1)
    refused: list[int] = []

    def refuse() -> None:
        for message in asked:
            withdraw(message, "one-click", AT)
            refused.append(Message.objects.filter(profile_id=message.profile_id, state__in=["sending", "sent"]).count())
        connection.close()

    thread = threading.Thread(target=refuse)
    thread.start()
    send_all("w", AT + 2 * DAY)
    thread.join()
    for message, had in zip(asked, refused, strict=True):
        assert Message.objects.filter(profile_id=message.profile_id, state="sent").count() == had
