"""Installing the shop owner's app in the browser: the authorization code grant.

https://shopify.dev/docs/apps/build/authentication-authorization (2026): the shop's domain is checked before anything else, the state is
bound to the session of whoever began and works once, the query must be signed with the app's secret, and the code is exchanged at that
very shop.
"""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

from regulars.connections.base.accounts import change_secrets, client_of, is_stand_in, read_secrets
from regulars.connections.base.errors import IsOver
from regulars.connections.base.models import Connection, ConnectionState
from regulars.connections.shopify.domains import origin_of, shop_domain
from regulars.connections.shopify.scopes import ASKED
from regulars.connections.shopify.signing import is_query_signed
from regulars.connections.shopify.tokens import as_credentials, ask_token
from regulars.foundation.errors import InvalidInput

GOOD_FOR = timedelta(minutes=20)
_KEPT = "shopify_install"
_ID, _SECRET = "install_id", "install_secret"  # of the app that is being installed
RETURN_PATH = "/connect/shopify/return"


class NotAgreed(InvalidInput):
    """This answer does not belong to a connection that was begun here a moment ago: begin anew."""

    code = "shopify-not-agreed"


@dataclass(frozen=True)
class Agreed:
    """What Shopify sent back: for which connection, and with which code."""

    public_id: str
    code: str


def return_address() -> str:
    """Where Shopify sends the browser back to; it must stand among the app's redirect addresses."""
    return f"{settings.PUBLIC_URL}{RETURN_PATH}"


def begin(row: Connection, client_id: str, client_secret: str, session: SessionBase, at: datetime) -> str:
    """The address of Shopify's page on which the owner agrees. Keeps the app's id and secret, sealed, beside a key that works: whoever
    does not agree in the end has lost nothing. Raises NotAShop, InvalidInput, IsOver.
    """
    if row.state == ConnectionState.OVER:
        raise IsOver
    origin = origin_of(row.address)
    if not (client_id and client_secret):
        raise InvalidInput("Give the client ID and the client secret of your app.", field="client_id")
    app = {_ID: client_id, _SECRET: client_secret}
    change_secrets(row.pk, lambda kept: kept.holding({**kept.credentials, **app}))
    state = secrets.token_urlsafe(32)
    session[_KEPT] = {"state": state, "connection": row.public_id, "until": (at + GOOD_FOR).isoformat()}
    asked = {"client_id": client_id, "scope": ASKED, "redirect_uri": return_address(), "state": state}
    return f"{origin}/admin/oauth/authorize?{urlencode(asked)}"


def awaited(session: SessionBase, query: Sequence[tuple[str, str]], at: datetime) -> Agreed:
    """What the query says, if it is the answer that this session waits for; that it was asked is forgotten either way.

    Raises NotAgreed. Whether it is the shop's own word only its secret tells: see ``exchange``.
    """
    kept, said = session.pop(_KEPT, None), dict(query)
    session.modified = True
    given = said.get("state", "").encode("utf-8", "surrogatepass")
    if not kept or not given or not hmac.compare_digest(kept["state"].encode(), given):
        raise NotAgreed
    if at > datetime.fromisoformat(kept["until"]) or not said.get("code"):
        raise NotAgreed
    return Agreed(kept["connection"], said["code"])


def exchange(row: Connection, agreed: Agreed, query: Sequence[tuple[str, str]], at: datetime) -> dict[str, str]:
    """The credentials for the code. Raises NotAShop, NotAgreed before anything is sent anywhere; Refused, Unreachable, TryLater."""
    domain = shop_domain(dict(query).get("shop", ""))
    if domain != urlsplit(row.address).netloc and not is_stand_in(row.address):
        raise NotAgreed
    kept = read_secrets(row).credentials
    app = {"client_id": kept.get(_ID, ""), "client_secret": kept.get(_SECRET, "")}
    is_doubled = len({name for name, _ in query}) < len(query)
    if is_doubled or not app["client_secret"] or not is_query_signed(app["client_secret"], query):
        raise NotAgreed
    token = ask_token(
        client_of(row.platform, row.address), row.address, app | {"code": agreed.code, "expiring": "1"}, at
    )
    return app | as_credentials(token)
