"""Mail: envelope, headers and the hand-over by SMTP (or any other backend that Django or Anymail knows)."""

import re
import smtplib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.message import sanitize_address

from regulars.messages.rendering.renderer import Rendered

_ADDRESS = re.compile(r"[^\s<>:;,\"']+@[^\s<>:;,\"']+")


class Answer(StrEnum):
    """What the mail server said. LATER: it took nothing, try again. UNKNOWN: the connection broke after we began to hand over."""

    TAKEN = "taken"
    REFUSED = "refused"
    LATER = "later"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Handed:
    """An answer with the server's words, from which addresses are taken out."""

    answer: Answer
    words: str = ""


class Envelope(EmailMultiAlternatives):
    """A mail whose bytes depend on nothing but its content: the boundary between its parts is made from its Message-ID."""

    def message(self, *, policy: Any = None) -> Any:
        mime = super().message()
        mime.set_boundary(f"=_{self.extra_headers['Message-ID'].strip('<>').partition('@')[0]}")
        return mime


def build(rendered: Rendered, context: Mapping[str, Any]) -> Envelope:
    """The mail in its envelope. Marketing carries one-click unsubscription (RFC 8058)."""
    headers = {"Message-ID": context["message_id"], "Date": context["date"]}
    if context["is_marketing"]:
        headers["List-Unsubscribe"] = f"<{context['links']['unsubscribe']}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    envelope = Envelope(
        subject=rendered.subject,
        body=rendered.text,
        from_email=_mailbox(context["from"]),
        to=[_mailbox(context["to"])],
        headers=headers,
    )
    envelope.attach_alternative(rendered.html, "text/html")
    return envelope


def to_bytes(envelope: Envelope) -> bytes:
    """The bytes that are handed over."""
    return bytes(envelope.message().as_bytes(linesep="\r\n"))


def _mailbox(party: Mapping[str, str]) -> str:
    name = " ".join("".join(letter for letter in party["name"] if letter.isprintable()).split())
    return sanitize_address((name, party["address"]), "utf-8") if name else party["address"]


class MailLine:
    """One connection to the mail server, used for many mails and opened again when it broke."""

    def __init__(self) -> None:
        self._connection = get_connection(fail_silently=False)
        self._down: Handed | None = None

    def __enter__(self) -> "MailLine":
        return self

    def __exit__(self, *exc: object) -> None:
        self._hang_up()

    def hand_over(self, envelope: Envelope) -> Handed:
        """Never raises for what a mail server can do to us. Not to be called inside a transaction.

        A server that cannot be reached is asked once in the life of a line, so that twenty mails do not wait for twenty time-outs.
        """
        if self._down is not None:
            return self._down
        try:
            self._connection.open()
        except (OSError, smtplib.SMTPException) as error:
            self._hang_up()
            self._down = Handed(Answer.LATER, _words(error))
            return self._down
        try:
            taken = self._connection.send_messages([envelope])
        except smtplib.SMTPServerDisconnected as error:
            self._hang_up()
            return Handed(Answer.UNKNOWN, _words(error))
        except smtplib.SMTPException as error:
            self._hang_up()
            return Handed(_judge(error), _words(error))
        except OSError as error:
            self._hang_up()
            return Handed(Answer.UNKNOWN, _words(error))
        return Handed(Answer.TAKEN) if taken else Handed(Answer.UNKNOWN, "The backend did not say whether it sent")

    def _hang_up(self) -> None:
        with suppress(OSError, smtplib.SMTPException):  # it is gone, which is what we want
            self._connection.close()


def _judge(error: smtplib.SMTPException) -> Answer:
    """4xx is 'not now', 5xx is 'never' (RFC 5321, 4.2.1); both mean that nothing was taken."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        return Answer.LATER if codes and all(400 <= code < 500 for code in codes) else Answer.REFUSED
    code = getattr(error, "smtp_code", 0)
    return Answer.LATER if 400 <= code < 500 else Answer.REFUSED


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        text = "; ".join(f"{code} {words!r}" for code, words in error.recipients.values())
    else:
        text = f"{type(error).__name__}: {error}"
    return _ADDRESS.sub("(address)", text)[:500]
