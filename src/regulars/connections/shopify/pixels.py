"""Switching on the web pixel, which tells us of visits and checkout steps (its code is in ``pixel/``, part of the shop's own app)."""

import json

from regulars.connections.base.platforms import Account
from regulars.connections.shopify.calls import ask, done

_CREATE = """
mutation Begin($pixel: WebPixelInput!) {
  webPixelCreate(webPixel: $pixel) { webPixel { id } userErrors { code field message } }
}
"""
_UPDATE = """
mutation Change($id: ID!, $pixel: WebPixelInput!) {
  webPixelUpdate(id: $id, webPixel: $pixel) { webPixel { id } userErrors { code field message } }
}
"""


def switch_on(account: Account, host: str, key: str, there: str = "") -> str:
    """The pixel's id. ``host`` takes its calls, ``key`` is a browser's write key; ``there`` is the pixel that we made before.

    Raises Refused: the app holds no such extension, or may not.
    """
    settings = {"settings": json.dumps({"host": host, "key": key})}
    if there:
        payload = done(ask(account, _UPDATE, {"id": there, "pixel": settings})["webPixelUpdate"])
    else:
        payload = done(ask(account, _CREATE, {"pixel": settings})["webPixelCreate"])
    return str(payload["webPixel"]["id"])
