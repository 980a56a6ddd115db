"""One turn of the sender: claim, render, mark, hand over, record."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from regulars.foundation.crash import crash_point, declare
from regulars.foundation.vault.keys import key_ring
from regulars.messages.channels import mail
from regulars.messages.context import Prepared, prepare
from regulars.messages.models import Message, MessageTemplateVersion
from regulars.messages.rendering.renderer import RENDERER, CannotRender, Source
from regulars.messages.sending.claiming import Lease, claim_due
from regulars.messages.sending.marking import Ready, mark
from regulars.messages.sending.recording import Result, give_up_or_wait, record
from regulars.messages.sending.recovering import release_held, settle_abandoned

logger = structlog.get_logger()
RENDERED = declare("messages.rendered", "messages are rendered, nothing is checked or marked")
HANDED = declare("messages.handed", "one mail was taken by the mail server, nothing is recorded")
LEASE = timedelta(seconds=30)


def send_batch(owner: str, at: datetime, lease_length: timedelta = LEASE) -> int:
    """Takes up to 20 due messages as far as they go at ``at``. Returns how many it had in hand; 0: nothing was due."""
    settled = settle_abandoned(at)
    release_held(at)
    lease, messages = claim_due(owner, at, lease_length)
    if not messages:
        return settled
    try:
        _carry_out(messages, lease, at)
    except Exception:  # one message that cannot be prepared must not stop the others
        logger.exception("a batch of messages failed", messages=len(messages))
        for message in messages:
            _carry_out_alone(message, lease, at)
    return len(messages)


def _carry_out(messages: Sequence[Message], lease: Lease, at: datetime) -> None:
    ready = [make_ready(one) for one in prepare(messages, at)]
    crash_point(RENDERED)
    leaving = mark(ready, lease, at)
    record(_hand_over(leaving, lease), lease, at)


def _carry_out_alone(message: Message, lease: Lease, at: datetime) -> None:
    try:
        _carry_out([message], lease, at)
    except Exception as error:  # as above; counted, and in the end given up
        logger.exception("message failed", message=message.id)
        give_up_or_wait(message, lease, type(error).__name__, at)


def send_all(owner: str, at: datetime, lease_length: timedelta = LEASE) -> int:
    """Everything that is due at ``at``; for the simulated clock, commands and tests. Returns how many it had in hand."""
    total = 0
    while done := send_batch(owner, at, lease_length):
        total += done
    return total


def source_of(version: MessageTemplateVersion) -> Source:
    return Source(version.subject, version.preheader, version.body, version.layout)


def make_ready(prepared: Prepared) -> Ready:
    """Renders one message into its envelope, by the template's live version."""
    version = prepared.message.template.live
    if version is None:
        return Ready(prepared, None, b"", "The template has no version that could be sent")
    if not prepared.card.email:
        return Ready(prepared, None, b"")  # the check will say so
    try:
        rendered = RENDERER.render(source_of(version), prepared.context)
    except CannotRender as problem:
        return Ready(prepared, None, b"", problem.sentence)
    envelope = mail.build(rendered, prepared.context)
    return Ready(prepared, envelope, digest_of(mail.to_bytes(envelope)))


def digest_of(raw: bytes) -> bytes:
    """Keyed digest of a mail's bytes: proves that a later rendering is the same, and tells nothing about them."""
    return key_ring().token("mail bytes", raw.hex(), 16)


def _hand_over(leaving: Sequence[Ready], lease: Lease) -> list[Result]:
    """Hands over one by one, outside of any transaction; stops when the messages are not ours any more."""
    results: list[Result] = []
    if not leaving:
        return results
    with mail.MailLine() as line:
        for number, one in enumerate(leaving):
            rest: list[Message] = [r.message for r in leaving[number:]]
            if one.message.id not in lease.hold_on([m.id for m in rest]) or one.envelope is None:
                logger.warning("lease lost before handing over", message=one.message.id)
                break
            results.append(Result(one.message, line.hand_over(one.envelope)))
            crash_point(HANDED)
    return results
