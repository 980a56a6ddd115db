"""Which addresses are Shopify's: a secret is only ever sent to these."""

import re
from urllib.parse import urlsplit

from regulars.connections.base.accounts import is_stand_in
from regulars.foundation.errors import InvalidInput

# https://shopify.dev/docs/apps/build/authentication-authorization: a shop's own domain, which its owner cannot change
DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")


class NotAShop(InvalidInput):
    """This is not the domain of a shop on Shopify: it reads name.myshopify.com."""

    code = "not-a-shopify-shop"


def shop_domain(text: str) -> str:
    """name.myshopify.com of what a query says. Raises NotAShop, for evil.tld and x.myshopify.com.evil.tld too."""
    words = text.strip().lower()
    if DOMAIN.fullmatch(words) is None:
        raise NotAShop
    return words


def origin_of(address: str) -> str:
    """Where the shop of a connection is called: at its own domain and nowhere else. Raises NotAShop."""
    parts = urlsplit(address)
    if is_stand_in(address):
        return f"{parts.scheme}://{parts.netloc}"
    return f"https://{shop_domain(parts.netloc)}"
