"""The key that a shop hands out by itself once its owner agrees (WooCommerce's ``/wc-auth/v1/authorize``).

We send the owner's browser to the shop with a word that only this connection and the shop know. The shop makes a key, sends it with that
word from its server to ours, and sends the browser back to us. The key is kept sealed until the browser is back: then whoever began
finishes, and the key is tried at the very address that they gave, so that a stranger's key connects nothing.
"""

import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext

from regulars.connections.base.accounts import Secrets, change_secrets, read_secrets
from regulars.connections.base.errors import IsOver
from regulars.connections.base.models import Connection, ConnectionState
from regulars.connections.base.operations.connecting import find_connection
from regulars.connections.base.platforms import Refused
from regulars.foundation.errors import InvalidInput, NotFound

LARGEST = 10_000  # bytes of what a shop sends with a key
WORD, UNTIL, KEY, SECRET = "agreeing_word", "agreeing_until", "agreed_key", "agreed_secret"
_PATIENCE = timedelta(hours=1)
_APP = "Regulars"


class UnknownWord(NotFound):
    """Nobody here asked this shop for a key, or the shop took longer than an hour."""

    code = "unknown-agreement"


def can_be_told() -> bool:
    """A shop sends its key to an https address only."""
    return bool(settings.PUBLIC_URL.startswith("https://"))


def authorize_address(row: Connection, at: datetime) -> str:
    """Where the owner agrees. Raises IsOver, and Refused where we have no https address, for the shop sends its key to no other."""
    if row.state == ConnectionState.OVER:
        raise IsOver
    if not can_be_told():
        raise Refused(
            gettext(
                "A shop sends its key to an https address only, and this installation has none: make a key by hand."
            )
        )
    word = secrets.token_urlsafe(32)
    _keep(row, {WORD: word, UNTIL: (at + _PATIENCE).isoformat()})
    asked = {
        "app_name": _APP,
        "scope": "read_write",
        "user_id": word,
        "return_url": settings.PUBLIC_URL + reverse("woocommerce-return", args=[row.public_id]),
        "callback_url": settings.PUBLIC_URL + reverse("woocommerce-key", args=[row.public_id]),
    }
    return f"{row.address}/wc-auth/v1/authorize?{urlencode(asked)}"


def take_key(public_id: str, body: bytes, at: datetime) -> None:
    """Keeps the key that a shop sends. Raises UnknownWord for whoever does not know the word, InvalidInput for what is no key."""
    said = _parsed(body)
    row = find_connection(public_id)
    if row is None or row.platform != "woocommerce" or row.state == ConnectionState.OVER:
        raise UnknownWord
    kept = read_secrets(row).credentials
    word = kept.get(WORD, "")
    if not word or not hmac.compare_digest(word.encode(), said["user_id"].encode()):
        raise UnknownWord
    if at >= datetime.fromisoformat(kept[UNTIL]):
        raise UnknownWord
    _keep(row, {KEY: said["consumer_key"], SECRET: said["consumer_secret"]})


def agreed(row: Connection) -> dict[str, str]:
    """The key that the shop sent. Raises IsOver, and Refused where it sent none."""
    if row.state == ConnectionState.OVER:
        raise IsOver
    kept = read_secrets(row).credentials
    if KEY not in kept:
        raise Refused(gettext("The shop has sent no key: agree there, or make a key by hand."))
    return {"consumer_key": kept[KEY], "consumer_secret": kept[SECRET]}


def _parsed(body: bytes) -> Mapping[str, str]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("This is no JSON.") from error
    wanted = ("user_id", "consumer_key", "consumer_secret")
    if not isinstance(said, dict) or not all(_is_word(said.get(name)) for name in wanted):
        raise InvalidInput("This is no key of a shop.")
    return {name: said[name] for name in wanted}


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isascii() and value.isprintable()


def _keep(row: Connection, words: Mapping[str, str]) -> None:
    """Beside the key that works now, instead of an earlier agreement: a word is good for one key."""

    def agreed_anew(kept: Secrets) -> Secrets:
        standing = {name: text for name, text in kept.credentials.items() if name not in (WORD, UNTIL, KEY, SECRET)}
        return kept.holding({**standing, **words})

    change_secrets(row.pk, agreed_anew)
