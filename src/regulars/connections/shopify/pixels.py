"""Switching on the web pixel, which tells us of visits and checkout steps (its code is in ``pixel/``, a part of the shop's own app).

https://shopify.dev/docs/apps/build/marketing-analytics/pixels: an app has one pixel in a shop, with the settings of its extension.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext

from regulars.connections.base.accounts import account_of
from regulars.connections.base.models import Connection
from regulars.connections.base.platforms import Account
from regulars.connections.base.writekeys import make_write_key
from regulars.connections.shopify.calls import ask, done
from regulars.foundation.access.viewer import Viewer

_THERE = "query Pixel { webPixel { id } }"
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


def switch_on(row: Connection, by: Viewer, at: datetime) -> None:
    """A browser's write key for the pixel, and the pixel with it; one that is there gets the new key.

    Raises Refused (the app holds no such extension, or may not), Unreachable, TryLater, NotAllowed.
    """
    key = make_write_key(gettext("Web pixel of %s") % row.name, "browser", row.store_id, by, at)
    set_pixel(account_of(row, at), settings.PUBLIC_URL, key)


def set_pixel(account: Account, host: str, key: str) -> None:
    """Makes the pixel, or changes it where the app has one already."""
    pixel = {"settings": json.dumps({"host": host, "key": key})}
    made: Mapping[str, Any] = ask(account, _CREATE, {"pixel": pixel})["webPixelCreate"]
    if any(error.get("code") == "TAKEN" for error in made.get("userErrors") or ()):
        there = ask(account, _THERE)["webPixel"]["id"]
        made = ask(account, _UPDATE, {"id": there, "pixel": pixel})["webPixelUpdate"]
    done(made)
