"""Links that a mail carries and nobody can guess: the message's id with a 128-bit code under a key of its own, which never rotates.

A link is good for one purpose. It names the message, and through it the address, the brand and the topic; it holds nothing personal.
"""

import base64
import hmac
from typing import Final

from django.conf import settings

from regulars.foundation.errors import NotFound
from regulars.foundation.ids import from_public, to_public
from regulars.foundation.vault.keys import key_ring
from regulars.messages.models import Message

UNSUBSCRIBE: Final = "unsubscribe"
PREFERENCES: Final = "preferences"


def link_to(purpose: str, public_id: str) -> str:
    """Whole address of a page for one message's recipient."""
    return f"{settings.PUBLIC_URL}/{purpose}/{public_id}.{_code(purpose, public_id)}"


def message_behind(purpose: str, token: str) -> Message:
    """The message that a link was made for. Raises NotFound for anything else, without saying why."""
    public_id, _, code = token.partition(".")
    if not hmac.compare_digest(code.encode(), _code(purpose, public_id).encode()):
        raise NotFound
    return Message.objects.select_related("brand", "template").get(uid=from_public(Message.PREFIX, public_id))


def public_id_of(message: Message) -> str:
    return to_public(Message.PREFIX, message.uid)


def _code(purpose: str, public_id: str) -> str:
    raw = key_ring().token(f"link {purpose}", public_id, 16)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
