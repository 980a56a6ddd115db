"""The token that a call carries: given by the shop's owner, or got from Shopify with the app's own id and secret.

Three ways (https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens):
a token of an app that was made in the shop's admin (no new ones since 2026, those there are stay); the client credentials of an own
app (24 hours, got anew when it runs out, kept in this process only); and the installation in the browser (one hour, with a refresh
token that Shopify replaces at each use, so both are kept with the connection).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from regulars.connections.base.accounts import Secrets, change_secrets, read_secrets
from regulars.connections.base.client import Client, Unreachable
from regulars.connections.base.models import Connection
from regulars.connections.base.platforms import Account, KeyRefused
from regulars.connections.shopify.domains import origin_of

# What is said of a shop that refuses whatever it is asked.
SENTENCES = {
    401: "Shopify does not accept the token: connect the shop with a new one.",
    402: "The shop is frozen: its owner has to settle Shopify's bill.",
    403: "Shopify does not allow this app to do that: check its permissions.",
    404: "There is no shop at this address.",
    423: "The shop is locked by Shopify.",
}
_NOT_INSTALLED = "Shopify does not accept the app's id and secret for this shop. Is the app installed there?"
_NOT_OF_THE_APP = frozenset({402, 404, 423})
EARLY = timedelta(minutes=5)  # a token that runs out so soon is replaced before it is used
_GOT: dict[tuple[str, str, str], "Token"] = {}  # by client credentials, in this process


@dataclass(frozen=True)
class Token:
    """``expires_at`` None: for as long as the app is installed."""

    value: str
    scopes: str = ""
    expires_at: datetime | None = None
    refresh: str = ""

    def is_good(self, at: datetime) -> bool:
        return self.expires_at is None or at + EARLY < self.expires_at


def token_of(account: Account, at: datetime) -> str:
    """Raises Refused where the shop's owner has to do something, Unreachable, TryLater."""
    held = account.credentials
    if not held.get("access_token"):
        return _by_credentials(account, at)
    token = kept_token(held)
    return token.value if token.is_good(at) else _refreshed(account, at)


def forget(account: Account) -> bool:
    """After a refusal: whether another token can be got at the next try."""
    return _GOT.pop(_name(account), None) is not None


def kept_token(held: Mapping[str, str]) -> Token:
    until = held.get("expires_at", "")
    moment = datetime.fromisoformat(until) if until else None
    return Token(held["access_token"], held.get("scopes", ""), moment, held.get("refresh_token", ""))


def as_credentials(token: Token) -> dict[str, str]:
    until = token.expires_at.isoformat() if token.expires_at else ""
    named = {"access_token": token.value, "scopes": token.scopes, "expires_at": until, "refresh_token": token.refresh}
    return {name: value for name, value in named.items() if value}


def ask_token(client: Client, address: str, form: Mapping[str, str], at: datetime) -> Token:
    """One call of Shopify's token endpoint, at the shop's own domain only. Raises Refused, Unreachable, TryLater, NotAShop."""
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    url = f"{origin_of(address)}/admin/oauth/access_token"
    reply = client.send("POST", url, headers, urlencode(form).encode())
    if reply.status != 200:
        raise KeyRefused(SENTENCES[reply.status] if reply.status in _NOT_OF_THE_APP else _NOT_INSTALLED)
    try:
        said: dict[str, Any] = json.loads(reply.body)
        lasts = said.get("expires_in")
        until = at + timedelta(seconds=float(lasts)) if lasts else None
        return Token(str(said["access_token"]), str(said.get("scope", "")), until, str(said.get("refresh_token") or ""))
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise Unreachable("Shopify answers something that is no token.") from error


def _name(account: Account) -> tuple[str, str, str]:
    return account.address, account.credentials.get("client_id", ""), account.credentials.get("client_secret", "")


def _by_credentials(account: Account, at: datetime) -> str:
    name = _name(account)
    if not (name[1] and name[2]):
        raise KeyRefused("Give either a token, or the id and the secret of your app.")
    token = _GOT.get(name)
    if token is None or not token.is_good(at):
        form = {"grant_type": "client_credentials", "client_id": name[1], "client_secret": name[2]}
        token = _GOT[name] = ask_token(account.client, account.address, form, at)
    return token.value


def _refreshed(account: Account, at: datetime) -> str:
    """A new token, kept before it is used: until then the old refresh token still works, so a kill in between loses nothing."""
    token = _newest(account)
    if token.is_good(at):  # another process was faster
        return token.value
    _, client_id, secret = _name(account)
    if not token.refresh:
        raise KeyRefused("The permission of this shop has run out: connect it anew.")
    form = {"grant_type": "refresh_token", "client_id": client_id, "client_secret": secret}
    fresh = ask_token(account.client, account.address, form | {"refresh_token": token.refresh}, at)
    _keep(account, fresh, token)
    return fresh.value


def _newest(account: Account) -> Token:
    row = Connection.objects.filter(pk=account.connection_id).first()
    held = read_secrets(row).credentials if row else {}
    return kept_token(held if held.get("access_token") else account.credentials)


def _keep(account: Account, fresh: Token, used: Token) -> None:
    """Instead of the one that it was got with; not over that of an installation which was finished meanwhile."""

    def renewed(kept: Secrets) -> Secrets:
        is_of_this = kept.credentials.get("refresh_token") == used.refresh
        return kept.holding({**kept.credentials, **as_credentials(fresh)}) if is_of_this else kept

    change_secrets(account.connection_id, renewed)
