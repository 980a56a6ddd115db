"""Tags of the screens that join domains."""

from collections.abc import Mapping
from urllib.parse import urlencode

from django import template
from django.utils.translation import gettext

from regulars.foundation.pages import formats
from regulars.record.customers.identifiers import OWN_KIND

register = template.Library()


@register.simple_tag
def number_of(value: int) -> str:
    """A number as text, to hand to another tag."""
    return formats.format_number(value)


@register.simple_tag
def address_of(path: str, *pairs: object) -> str:
    """A path with parameters: ``{% address_of "/orders" "customer" id as href %}``."""
    return f"{path}?{urlencode([(str(name), str(value)) for name, value in zip(pairs[::2], pairs[1::2], strict=True)])}"


@register.simple_tag
def author_of(authors: Mapping[int, str], staff_id: int) -> str:
    """Who wrote a note; empty for one that came with an import."""
    return authors.get(staff_id, "")


@register.filter
def identity_word(kind: str) -> str:
    """How a kind of identity is called."""
    words = {
        "email": gettext("Mail"),
        "phone": gettext("Phone"),
        "store_customer": gettext("Customer number"),
        "user_id": gettext("User id"),
        "anonymous_id": gettext("Browser"),
    }
    return words.get(kind, gettext("Other"))


@register.filter
def scope_word(scope: str) -> str:
    """Where an identity means something: a store's code, or the name of a kind of the shop's own."""
    return scope.removeprefix(OWN_KIND)


@register.filter
def evidence_word(source: str) -> str:
    """Who said that an identity is this customer's."""
    words = {
        "import": gettext("from a file"),
        "api": gettext("by a program"),
        "staff": gettext("by a colleague"),
        "server key": gettext("by the shop's server"),
        "browser key": gettext("by a browser"),
        "shop": gettext("from the shop"),
    }
    return words.get(source, source)


@register.filter
def less(amount: int, other: int) -> int:
    """``{{ ordered|less:given_back }}``"""
    return amount - other
