"""What we tell the shop: consent, and codes made."""

from datetime import UTC

from django.utils.translation import gettext

from regulars.connections.base.platforms import Account, ConsentChange, CouponRule, KeyRefused, Refused
from regulars.connections.woocommerce import calls
from regulars.connections.woocommerce.calls import NO_PERMISSION, NotThere
from regulars.connections.woocommerce.checking import CANNOT_WRITE, may_read
from regulars.connections.woocommerce.mapping.coupons import is_same_rule, shop_code, wanted_coupon
from regulars.connections.woocommerce.mapping.values import key

MARKETING = "regulars_marketing"  # of a customer; the channel follows where it is not mail
_EXISTS = "woocommerce_rest_coupon_code_already_exists"


def write_consent(account: Account, change: ConsentChange) -> None:
    """WooCommerce has no field for consent: it stands as customer meta, for the shop's own plugins to read."""
    if not change.customer_key:
        raise Refused(
            gettext("WooCommerce can note consent with a customer's account only, and this person ordered as a guest.")
        )
    if not (change.customer_key.isascii() and change.customer_key.isdecimal()):
        raise Refused(gettext("This person's number is not one of this shop's: it came from elsewhere."))
    name = MARKETING if change.channel == "email" else f"{MARKETING}_{change.channel}"
    said = {
        name: "yes" if change.is_granted else "no",
        f"{name}_at": f"{change.occurred_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    fields = [{"key": field, "value": value} for field, value in said.items()]
    try:
        calls.put(account, f"customers/{int(change.customer_key)}", {"meta_data": fields})
    except NotThere as error:
        raise Refused(gettext("The shop has no such customer any more.")) from error
    except KeyRefused as error:
        _refuse_for_good(account, error)
        raise


def make_coupon(account: Account, rule: CouponRule) -> str:
    """Made; or found, where a call before made it and its answer was lost."""
    is_of_money = rule.amount is not None or rule.minimum is not None
    if is_of_money and rule.currency and rule.currency != account.currency:
        sentence = gettext("The shop's money is %(own)s: a code cannot be worth %(asked)s.")
        raise Refused(sentence % {"own": account.currency, "asked": rule.currency})
    try:
        return key(calls.post(account, "coupons", wanted_coupon(rule)).said["id"])
    except KeyRefused as error:
        _refuse_for_good(account, error)
        raise
    except Refused as error:
        if error.details.get("wp_code") != _EXISTS:
            raise
    for there in calls.get(account, "coupons", {"code": shop_code(rule.code)}).said:
        if is_same_rule(rule, there, account):
            return key(there["id"])
    raise Refused(gettext("There is a coupon of this code in the shop already, and it does something else."))


def _refuse_for_good(account: Account, error: KeyRefused) -> None:
    """Raises Refused where the key may read and only that: nothing waits for another, as was said when the shop was connected."""
    if error.details.get("wp_code") == NO_PERMISSION and may_read(account, "orders"):
        raise Refused(str(CANNOT_WRITE)) from error
