"""The action 'make a coupon code': one that nobody can guess, for this customer only, in the shop that they belong to."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Count

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.ids import to_public
from regulars.foundation.money import CURRENCIES
from regulars.record.coupons.models import Coupon, MakingState, WantedCode
from regulars.record.coupons.operations.making import Wish, want_codes
from regulars.workflows.steps.action import ActionKind, Intent, NodeFigure, NodeOutcome, register
from regulars.workflows.steps.kinds import Names, StepProblem, refuse_unknown

_PREFIX = re.compile(r"[A-Z0-9]{1,16}")
_STATES = {
    MakingState.WAITING: ("Being made", "grey"),
    MakingState.MADE: ("Made", "green"),
    MakingState.FAILED: ("Not made", "red"),
}


def check(settings: Mapping[str, Any]) -> None:
    """Settings: ``{"kind": "make_coupon", "percent": "10", "prefix": "BACK", "valid_for": {"days": 14}, "minimum": "20", "currency": "GBP"}``;
    ``"amount": "5"`` with its currency, or ``"free_shipping": true``, instead of percent."""
    refuse_unknown(settings, "percent", "amount", "free_shipping", "prefix", "valid_for", "minimum", "currency")
    if sum(name in settings for name in ("percent", "amount", "free_shipping")) != 1:
        raise StepProblem('needs exactly one of percent, amount and free_shipping, such as "percent": "10"')
    if settings.get("free_shipping", True) is not True:
        raise StepProblem("'free_shipping' must be true")
    for name, most in (("percent", 100), ("amount", 10**6), ("minimum", 10**6)):
        if name in settings:
            _decimal(name, settings[name], most)
    if ("amount" in settings or "minimum" in settings) and settings.get("currency") not in CURRENCIES:
        raise StepProblem('needs the currency of its amounts, such as "currency": "GBP"')
    if not isinstance(settings.get("prefix"), str) or not _PREFIX.fullmatch(settings["prefix"]):
        raise StepProblem('needs a prefix of capitals and digits, such as "prefix": "BACK"')
    _valid_for(settings)


def _decimal(name: str, given: Any, most: int) -> Decimal:
    try:
        value = Decimal(given) if isinstance(given, str) else Decimal("NaN")
    except InvalidOperation as error:
        raise StepProblem(f"'{name}' must be a number in quotes, such as \"10\"") from error
    if not (value.is_finite() and 0 < value <= most and value == round(value, 2)):
        raise StepProblem(f"'{name}' must be a number in quotes, above 0 and at most {most}, such as \"10\"")
    return value


def _valid_for(settings: Mapping[str, Any]) -> timedelta | None:
    given = settings.get("valid_for")
    if given is None:
        return None
    days = given.get("days") if isinstance(given, Mapping) and list(given) == ["days"] else None
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= 365:
        raise StepProblem('needs 1 to 365 days, such as "valid_for": {"days": 14}')
    return timedelta(days=days)


def words(settings: Mapping[str, Any], names: Names) -> str:
    currency = settings.get("currency", "")
    worth = f"{settings['percent']} %" if "percent" in settings else f"{settings.get('amount', '')} {currency}"
    return f"make a coupon code for {'free shipping' if 'free_shipping' in settings else worth}"


class CodeCarrier:
    """Makes up a code for each intent; the same intent twice is one code. The mails of the run wait until the shop has taken it."""

    def names(self) -> Names:
        return {}

    def plan(self, intents: Sequence[Intent]) -> None:
        want_codes([_wish(intent) for intent in intents])

    def figures(self, workflow_key: str, workflow_id: int, viewer: Viewer) -> Mapping[str, Sequence[NodeFigure]]:
        rows = WantedCode.objects.filter(workflow_id=workflow_id)
        rows = rows if viewer.store_ids is None else rows.filter(store__in=viewer.store_ids)
        counts = rows.filter(state=MakingState.MADE).values_list("node").annotate(Count("id"))
        label, _tone = _STATES[MakingState.MADE]
        return {node: [NodeFigure(label, count, f"/coupons?workflow={workflow_id}")] for node, count in counts}

    def outcomes(self, run_id: int) -> Mapping[str, NodeOutcome]:
        found = {}
        for row in WantedCode.objects.filter(run_id=run_id).select_related("coupon").order_by("pk"):
            label, tone = _STATES[MakingState(row.state)]
            said = row.problem if row.state == MakingState.FAILED else row.code
            href = f"/coupons/{to_public(Coupon.PREFIX, row.coupon.uid)}" if row.coupon else "/coupons"
            found[row.node] = NodeOutcome(f"{label}: {said}", href, tone)
        return found


def _wish(intent: Intent) -> Wish:
    settings = intent.settings
    valid_for = _valid_for(settings)
    rule = {name: settings[name] for name in ("percent", "amount", "minimum", "currency") if name in settings}
    return Wish(
        intent.key,
        intent.run_id,
        intent.workflow_id,
        intent.node,
        intent.profile_id,
        settings["prefix"],
        rule | {"is_free_shipping": "free_shipping" in settings},
        intent.at + valid_for if valid_for else None,
        intent.at,
    )


register(ActionKind("make_coupon", "Make a coupon code", "tag", check, words), CodeCarrier())
