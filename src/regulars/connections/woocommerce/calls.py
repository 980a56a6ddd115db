"""Calls of the REST API, version 3, through the base's client: its guard, its pace, its one policy of trying again."""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin

from django.utils.translation import gettext

from regulars.connections.base.client import Unreachable
from regulars.connections.base.platforms import Account, KeyRefused, Refused
from regulars.connections.woocommerce.mapping.values import parse_answer
from regulars.connections.woocommerce.signing import basic, signed_address
from regulars.foundation.outbound import Reply

API = "/wp-json/wc/v3/"


NO_PERMISSION = "woocommerce_rest_authentication_error"  # where the key was good for reading a moment ago


class NotThere(Refused):
    """The shop does not have this any more."""

    code = "shop-has-not"


class NoRoute(Unreachable):
    """There is no such call at this shop: it is older, or a part of WooCommerce is switched off."""

    code = "shop-no-route"


class MayNotRead(Refused):
    """Whoever the key was made for may not read this."""

    code = "shop-may-not-read"


@dataclass(frozen=True)
class Answer:
    """``body`` is raw, ``said`` the same parsed; ``total`` of a list, where the shop (or a proxy before it) says so."""

    body: bytes
    said: Any
    total: int | None = None


def get(account: Account, path: str, query: Mapping[str, object] | None = None) -> Answer:
    return _call(account, "GET", path, query or {})


def post(account: Account, path: str, said: dict[str, Any]) -> Answer:
    return _call(account, "POST", path, {}, said)


def put(account: Account, path: str, said: dict[str, Any]) -> Answer:
    return _call(account, "PUT", path, {}, said)


def delete(account: Account, path: str) -> None:
    """Gone for good, not to the trash. What is gone already is as well."""
    try:
        _call(account, "DELETE", path, {"force": "true"})
    except NotThere:
        return


def about(account: Account) -> dict[str, Any]:
    """What WordPress says of itself to everybody; nothing where a plugin keeps it from doing so."""
    try:
        said = _answer(
            account.client.send(
                "GET",
                f"{account.address}/wp-json/?_fields=name,timezone_string,gmt_offset",
                {"accept": "application/json"},
            )
        ).said
    except (Refused, Unreachable):
        return {}
    return said if isinstance(said, dict) else {}


def _call(
    account: Account, method: str, path: str, query: Mapping[str, object], said: dict[str, Any] | None = None
) -> Answer:
    """Raises Refused with WooCommerce's own words, NotThere, Unreachable and TryLater."""
    address = account.address + API + path + (f"?{urlencode(query)}" if query else "")
    headers = {"accept": "application/json"}
    body = b""
    if said is not None:
        headers["content-type"] = "application/json; charset=utf-8"
        body = json.dumps(said, ensure_ascii=False).encode()
    key, secret = account.credentials.get("consumer_key", ""), account.credentials.get("consumer_secret", "")
    if account.address.startswith("https://"):
        reply = account.client.send(method, address, {**headers, "authorization": basic(key, secret)}, body)
        if not _is_unheard(reply):
            return _answer(reply)

    def signed() -> str:  # for one use: each try has a number of its own
        return signed_address(method, address, key, secret, int(time.time()), secrets.token_hex(16))

    return _answer(account.client.send(method, signed, headers, body))


def _is_unheard(reply: Reply) -> bool:
    """Whether the shop saw no key at all: some web servers do not hand the header on to PHP. A signature in the address gets through."""
    return reply.status == 401 and b'"woocommerce_rest_cannot_' in reply.body


def _answer(reply: Reply) -> Answer:
    if 300 <= reply.status < 400:
        raise Refused(_moved(reply))
    try:
        body, said = parse_answer(reply.body)
    except (ValueError, RecursionError) as error:
        raise Unreachable(_no_api() if reply.status == 404 else _strange()) from error
    if reply.status >= 400:
        raise _refusal(reply.status, said)
    total = reply.headers.get("x-wp-total", "")
    return Answer(body, said, int(total) if total.isascii() and total.isdecimal() else None)


def _strange() -> str:
    """A shop with plain permalinks may also answer every address with its first page."""
    return gettext(
        "The shop's answer is not one of WooCommerce: is its site being maintained, or are its permalinks set to 'Plain'?"
    )


def _no_api() -> str:
    """For good where permalinks are plain; for a moment while the shop brings WooCommerce up to date."""
    return gettext(
        "There is no WooCommerce with its REST API at this address. Are the shop's permalinks set to 'Plain'?"
    )


def _moved(reply: Reply) -> str:
    """Where to, in words that help: the shop's address where the API is there, else the page that answers in its place."""
    target = urljoin(reply.url, reply.headers.get("location", "")).partition("?")[0]
    place, api, _ = target.partition(API)
    if api and place != reply.url.partition(API)[0]:
        return gettext("The shop has moved to %(place)s: connect it under that address, for the same store.") % {
            "place": place
        }
    return gettext("The shop does not answer our calls, it leads them on to %(page)s.") % {"page": target[:200]}


def _refusal(status: int, said: Any) -> Refused | Unreachable:
    """In the words that help; WooCommerce's own are kept where we have no better ones."""
    code = str(said.get("code", "")) if isinstance(said, dict) else ""
    words = str(said.get("message", ""))[:200] if isinstance(said, dict) else ""
    if code == "rest_no_route":
        return NoRoute(_no_api())
    if status == 404 or code.endswith("invalid_id"):
        return NotThere(gettext("The shop does not have this any more."), wp_code=code)
    if status == 403 and code.startswith("woocommerce_rest_cannot_"):  # 401 where the shop sees nobody behind the key
        return _not_allowed(code, words)
    if status in (401, 403):
        sentence = gettext(
            "The shop does not accept our key (%(words)s). Make a new one with the permission Read/Write."
        )
        return KeyRefused(sentence % {"words": words or code or status}, wp_code=code)
    return Refused(gettext("The shop refuses: %(words)s") % {"words": words or code or status}, wp_code=code)


def _not_allowed(code: str, words: str) -> Refused:
    """Of this one thing: a shop manager may change customers, and no other accounts."""
    if code == "woocommerce_rest_cannot_view":
        return MayNotRead(gettext("The key may not read this: make it for an administrator or shop manager."))
    return Refused(
        gettext("The shop does not let the owner of our key do this (%(words)s).") % {"words": words or code}
    )
