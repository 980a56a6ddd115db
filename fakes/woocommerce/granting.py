"""The automatic way to a key, ``/wc-auth/v1/authorize``, after WooCommerce's WC_Auth. Whoever comes is the merchant, logged in."""

import hmac
import html
import json
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from fakes.server import Request, Response
from fakes.woocommerce.keys import Refused
from fakes.woocommerce.query import parse, text
from fakes.woocommerce.shop import Shop

_NEEDED = ("app_name", "user_id", "return_url", "callback_url", "scope")
_SCOPES = {"read": "Read", "write": "Write", "read_write": "Read/Write"}
_NONCE = "5f4dcc3b5a"
_HTML = (("Content-Type", "text/html; charset=UTF-8"),)


def answer(shop: Shop, request: Request, home: str, *, plain_callback: bool) -> Response:
    """The page that asks; and, once granted, the key posted to the callback, then back to the application."""
    try:
        given = _checked(request, plain_callback=plain_callback)
        if request.path.rstrip("/").endswith("/authorize"):
            return _page(shop, given, home)
        if request.path.rstrip("/").endswith("/access_granted"):
            return _granted(shop, given, request)
    except Refused as error:
        return Response(401, f"<h1>Access denied</h1><p>Error: {html.escape(error.message)}.</p>".encode(), _HTML)
    raise Refused("fake_unknown_path", f"{request.path} is no path of this shop.", 400)


def _checked(request: Request, *, plain_callback: bool) -> dict[str, str]:
    given = parse(request.query)
    for name in _NEEDED:
        if not text(given, name):
            raise Refused("wc_auth", f"Missing parameter {name}")
    unknown = set(given) - {*_NEEDED, "wc_auth_nonce"}
    if unknown:
        raise Refused("wc_auth", f"{min(unknown)} is in no document of this page")
    if text(given, "scope") not in _SCOPES:
        raise Refused("wc_auth", f"Invalid scope {text(given, 'scope')}")
    found = {name: text(given, name) for name in _NEEDED}
    for name in ("return_url", "callback_url"):
        found[name] = _whole(found[name])
    if not found["callback_url"].lower().startswith("https://") and not plain_callback:
        raise Refused("wc_auth", "The callback_url needs to be over SSL")
    return found


def _whole(url: str) -> str:
    """Decoded once more than the query was, as the real one does, and https:// where nothing stands."""
    decoded = unquote(url)
    whole = decoded if "://" in decoded else f"https://{decoded}"
    if not urlsplit(whole).hostname:
        raise Refused("wc_auth", f"The {whole} is not a valid URL")
    return whole


def _with(url: str, **added: object) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(added)}"


def _page(shop: Shop, given: dict[str, str], home: str) -> Response:
    granted = _with(f"{home}/wc-auth/v1/access_granted/", **given, wc_auth_nonce=_NONCE)
    denied = _with(given["return_url"], success=0, user_id=given["user_id"])
    name, scope = html.escape(given["app_name"]), _SCOPES[given["scope"]]
    page = f"""<!doctype html><title>{shop.name}</title><h1>{name} would like to connect to your store</h1>
<p>This will give "{name}" <strong>{scope}</strong> access.</p>
<a class="approve" href="{html.escape(granted)}">Approve</a> <a class="deny" href="{html.escape(denied)}">Deny</a>"""
    return Response(200, page.encode(), _HTML)


def _granted(shop: Shop, given: dict[str, str], request: Request) -> Response:
    nonce = dict(parse_qsl(request.query)).get("wc_auth_nonce", "")
    if not hmac.compare_digest(nonce.encode(), _NONCE.encode()):
        raise Refused("wc_auth", "Invalid nonce verification")
    key = shop.keys.add(given["scope"])
    told = {
        "key_id": key.id,
        "user_id": given["user_id"],
        "consumer_key": key.consumer_key,
        "consumer_secret": key.consumer_secret,
        "key_permissions": key.permissions,
    }
    headers = {"Content-Type": "application/json;charset=UTF-8", "User-Agent": "WordPress/7.1.4"}
    if shop.webhooks.send(given["callback_url"], headers, json.dumps(told).encode()) != 200:
        shop.keys.remove(key)
        raise Refused(
            "wc_auth", "An error occurred in the request and at the time were unable to send the consumer data"
        )
    return Response(302, b"", (("Location", _with(given["return_url"], success=1, user_id=given["user_id"])),))
