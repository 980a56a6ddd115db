"""Whether the key works, what it may, and what the shop says of itself."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from regulars.connections.base.platforms import Account, Refused, Shop
from regulars.connections.woocommerce import calls
from regulars.connections.woocommerce.mapping.values import Json, decimal, part, parts, text

_READ: dict[str, Promise] = {
    "products": _("The key may not read products."),
    "customers": _("The key may not read customers: make it for an administrator or shop manager."),
    "coupons": _("The key may not read coupons."),
}
CANNOT_WRITE = _(
    "The key may only read: webhooks must be made by hand, consent is not told to the shop and no codes are made. "
    "What changes is found every 15 minutes."
)


def check(account: Account) -> Shop:
    """Raises Refused where not even orders can be read."""
    newest = calls.get(account, "orders", {"per_page": 1}).said
    currency = text(part(calls.get(account, "data/currencies/current").said).get("code"), 3)
    about = calls.about(account)
    missing = [sentence for path, sentence in _READ.items() if not may_read(account, path)]
    missing += [] if _may_write(account) else [CANNOT_WRITE]
    return Shop(
        name=text(about.get("name"), 120) or account.address.partition("://")[2],
        currency=currency or account.currency,
        time_zone=_zone(about) or account.time_zone,
        version=next((text(order.get("version"), 20) for order in parts(newest)), ""),  # that wrote the newest order
        missing=tuple(missing),
        scopes=("read",) if CANNOT_WRITE in missing else ("read", "write"),
    )


def _zone(about: Json) -> str:
    """WordPress knows a zone by name, or a number of hours only."""
    offset = decimal(about.get("gmt_offset"))
    by_hours = f"Etc/GMT{-int(offset):+d}" if offset == int(offset) else ""
    return text(about.get("timezone_string"), 60) or (by_hours if about else "")


def may_read(account: Account, path: str) -> bool:
    try:
        calls.get(account, path, {"per_page": 1})
    except Refused:
        return False
    return True


def _may_write(account: Account) -> bool:
    """Asks for nothing to be written: what is refused then is writing itself."""
    try:
        calls.post(account, "webhooks/batch", {})
    except Refused:
        return False
    return True
