"""What can be done to templates and messages."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from importlib.resources import files
from typing import Any

from django.db import transaction

from regulars.foundation.errors import InvalidInput
from regulars.foundation.shop.models import Brand
from regulars.messages.channels.mail import Answer, MailLine, build
from regulars.messages.context import shop_of
from regulars.messages.models import Message, MessageTemplate, MessageTemplateVersion
from regulars.messages.queries import read_context
from regulars.messages.rendering.renderer import RENDERER, Source
from regulars.messages.samples import SAMPLE
from regulars.messages.sending.marking import lock_customers
from regulars.messages.sending.switch import read_switch
from regulars.record.consent.inputs import ConsentInput
from regulars.record.consent.models import Channel, ConsentState
from regulars.record.consent.operations import record_consents, unsubscribe
from regulars.record.consent.queries import Addressee, standings
from regulars.record.customers.queries import customers_of
from regulars.record.events import log as event_log

LAYOUT = files("regulars.messages").joinpath("layouts/plain.mjml").read_text()


class BadTemplate(InvalidInput):
    """This template cannot be kept."""

    code = "bad-template"


@dataclass(frozen=True)
class Draft:
    """What staff write: subject, preheader and MJML sections, all with Liquid in them."""

    subject: str
    preheader: str
    body: str

    def source(self) -> Source:
        return Source(self.subject, self.preheader, self.body, LAYOUT)


def save_template(
    key: str,
    name: str,
    draft: Draft,
    staff_id: int | None,
    at: datetime,
    *,
    topic: str = "marketing",
    is_marketing: bool = True,
) -> MessageTemplateVersion:
    """Keeps the draft as the next version and makes it live; an equal one makes no new version. Raises BadTemplate, CannotRender."""
    if not draft.subject.strip():
        raise BadTemplate("A mail needs a subject")
    RENDERER.render(draft.source(), SAMPLE)
    with transaction.atomic():
        template, _ = MessageTemplate.objects.select_for_update().get_or_create(
            key=key, defaults={"name": name, "topic": topic, "is_marketing": is_marketing, "created_at": at}
        )
        live = template.live
        texts = {"subject": draft.subject, "preheader": draft.preheader, "body": draft.body, "layout": LAYOUT}
        if live is not None and all(getattr(live, field) == text for field, text in texts.items()):
            return live
        number = template.versions.count() + 1
        template.live = MessageTemplateVersion.objects.create(
            template=template, number=number, staff_id=staff_id, created_at=at, **texts
        )
        template.name = name
        template.save(update_fields=["live", "name"])
        return template.live


def sample_of(brand: Brand | None) -> dict[str, Any]:
    """What a made-up person gets, in the name of this brand."""
    return SAMPLE if brand is None else SAMPLE | {"shop": shop_of(brand)}


class TestNotSent(InvalidInput):
    """The test could not be sent."""

    code = "test-not-sent"


def send_test(draft: Draft, address: str, at: datetime) -> None:
    """Sends the draft, as a made-up person gets it, to the member of staff who wrote it. Raises TestNotSent, CannotRender.

    Under the same switch and allowlist as everything else; it is no message of the ledger. Not to be called inside a transaction.
    """
    switch = read_switch()
    if refusal := switch.refusal(at):
        raise TestNotSent(refusal.sentence)
    if not switch.lets_through(address):
        raise TestNotSent("Your own address is not on the list of permitted recipients")
    brand = Brand.objects.order_by("id").first()
    if brand is None:
        raise TestNotSent("There is no brand yet in whose name it could be sent")
    context = sample_of(brand) | {
        "to": {"address": address, "name": ""},
        "from": {"address": brand.from_address, "name": brand.from_name},
        "message_id": f"<{secrets.token_hex(16)}@{brand.from_address.rpartition('@')[2]}>",
        "date": format_datetime(at),
    }
    rendered = RENDERER.render(replace(draft, subject=f"[Test] {draft.subject}").source(), context)
    with MailLine() as line:
        handed = line.hand_over(build(rendered, context))
    if handed.answer is not Answer.TAKEN:
        raise TestNotSent(f"The mail server did not take it: {handed.words}")


def withdraw(message: Message, method: str, at: datetime) -> bool:
    """The recipient of this message wants no more of its topic: effective at once, idempotent. True when it changed something.

    Waits for a sender that is marking a message to the same person, so that what is sent afterwards has seen it.
    """
    if message.address is None:
        return False
    customer = customers_of([message.profile_id]).get(message.profile_id, message.customer_id)
    with event_log.transaction("system", "unsubscribe"):
        lock_customers({customer})
        return unsubscribe(bytes(message.address), message.brand_id, message.topic, message.profile_id, method, at)


def is_subscribed(message: Message) -> bool:
    """Whether the recipient of this message agrees to its topic at present."""
    if message.address is None:
        return False
    person = Addressee(bytes(message.address), ())
    return standings({person}, message.brand_id, Channel.EMAIL, message.topic)[person].consent == ConsentState.GRANTED


def welcome_back(message: Message, at: datetime) -> bool:
    """The recipient wants the topic again, said by a link that only their mailbox has. True when it changed something."""
    if message.address is None or is_subscribed(message):
        return False
    address = str(read_context(message)["to"]["address"])
    said = ConsentInput(address, ConsentState.GRANTED, at, "preferences page", topic=message.topic)
    with event_log.transaction("system", "preferences") as log:
        return record_consents([said], message.brand_id, log) > 0
