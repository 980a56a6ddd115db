"""Codes made up for one customer each, and handed to their shop."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.db import transaction

from regulars.foundation.bulk import execute
from regulars.foundation.work.loops import Stop
from regulars.record.coupons.inputs import CouponInput
from regulars.record.coupons.makers import MAKERS, CannotMake, CodeRule, MakeLater
from regulars.record.coupons.models import Coupon, CouponKind, MakingState, WantedCode
from regulars.record.coupons.operations.apply import apply_coupons
from regulars.record.customers.queries import customers_of, read_cards
from regulars.record.events import log as event_log

logger = structlog.get_logger(__name__)
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # what nobody mistakes for another when it is read aloud
_LENGTH = 12  # 60 bits: nobody guesses one
_BATCH = 20
_LEASE = timedelta(minutes=5)
_MOST_TRIES = 12


@dataclass(frozen=True)
class Wish:
    """One code that is wanted: for whom, in which run and step. ``rule`` as ``WantedCode.rule``."""

    effect_key: bytes
    run_id: int
    workflow_id: int
    node: str
    profile_id: int
    prefix: str
    rule: Mapping[str, Any]
    expires_at: datetime | None
    at: datetime


_WANT = """
INSERT INTO coupons_wantedcode (effect_key, run_id, workflow_id, node, store_id, profile_id, code, rule, expires_at, state, tries, problem,
    next_at, planned_at)
SELECT w.effect_key, w.run_id, w.workflow_id, w.node, p.store_id, w.profile_id, w.code, w.rule, w.expires_at, 'waiting', 0, '', w.at, w.at
FROM unnest(%s::bytea[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::jsonb[], %s::timestamptz[], %s::timestamptz[])
    AS w(effect_key, run_id, workflow_id, node, profile_id, code, rule, expires_at, at)
JOIN customers_profile p ON p.id = w.profile_id
ON CONFLICT (effect_key) DO NOTHING
"""


def want_codes(wishes: Sequence[Wish]) -> None:
    """Makes up a code for each; the same effect twice is one code. The loop ``coupons.making`` hands them to the shops."""
    rows = [
        (
            w.effect_key,
            w.run_id,
            w.workflow_id,
            w.node,
            w.profile_id,
            new_code(w.prefix),
            _json(w.rule),
            w.expires_at,
            w.at,
        )
        for w in wishes
    ]
    if rows:
        execute(_WANT, [list(column) for column in zip(*rows, strict=True)])


def new_code(prefix: str) -> str:
    """A code that nobody can guess: 'BACK-7K3M9QZT4WXP'."""
    word = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return f"{prefix}-{word}" if prefix else word


def make_codes(stop: Stop, at: datetime) -> bool:
    """Hands codes to their shops, one by one, each marked after its call. True while there may be more."""
    with transaction.atomic():
        due = WantedCode.objects.filter(state=MakingState.WAITING, next_at__lte=at).order_by("next_at", "pk")
        rows = list(due.select_for_update(skip_locked=True, of=("self",))[:_BATCH])
        WantedCode.objects.filter(pk__in=[row.pk for row in rows]).update(next_at=at + _LEASE)
    for row in rows:
        if stop.is_set():
            return False
        _make(row, at)
    return len(rows) == _BATCH


def _make(row: WantedCode, at: datetime) -> None:
    try:
        maker = next((m for _, m in MAKERS.items() if row.store_id and m.can_make(row.store_id)), None)
        if maker is None or row.store_id is None:
            raise CannotMake("No connected shop of this customer's store makes codes.")
        rule = _rule(row)
        external_id = maker.make(row.store_id, rule, at)
    except CannotMake as error:
        _settle(row, MakingState.FAILED, at, error.sentence)
    except MakeLater as error:
        _wait(row, at, error)
    except Exception as error:  # noqa: BLE001  whatever is wrong with one must not hold up the others
        logger.error("a code could not be made", code=row.pk, why=type(error).__name__)
        _wait(row, at, MakeLater("The shop's answer was not understood."))
    else:
        _keep(row, rule, external_id, at)


def _rule(row: WantedCode) -> CodeRule:
    said = row.rule
    percent, amount, minimum = (
        Decimal(said[name]) if said.get(name) is not None else None for name in ("percent", "amount", "minimum")
    )
    owner = customers_of([row.profile_id]).get(row.profile_id) if row.profile_id else None
    card = read_cards([owner], [row.store_id] if row.store_id else None).get(owner) if owner else None
    return CodeRule(
        row.code,
        f"Regulars {row.code.rpartition('-')[0]}".strip(),
        percent=percent,
        amount=amount,
        minimum=minimum,
        currency=said.get("currency", ""),
        is_free_shipping=bool(said.get("is_free_shipping")),
        email=card.email if card else "",
        ends_at=row.expires_at,
    )


def _keep(row: WantedCode, rule: CodeRule, external_id: str, at: datetime) -> None:
    """Notes the coupon in the record, before the shop tells of it by itself. Event: coupon.created."""
    kind = CouponKind.PERCENT if rule.percent is not None else CouponKind.FIXED
    said = CouponInput(
        code=row.code,
        kind=CouponKind.FREE_SHIPPING if rule.is_free_shipping else kind,
        amount=rule.percent or rule.amount or Decimal(0),
        currency=rule.currency,
        minimum=rule.minimum,
        usage_limit=rule.usage_limit,
        expires_at=rule.ends_at,
        external_id=external_id,
        profile_id=row.profile_id,
    )
    with event_log.transaction("system", "coupons") as log:
        done = apply_coupons([said], log, store_id=row.store_id or 0, at=at)
        coupon = Coupon.objects.get(pk=done.coupon_ids[row.code])
        row.coupon = coupon
        row.save(update_fields=["coupon"])
        _settle(row, MakingState.MADE, at)


def _settle(row: WantedCode, state: MakingState, at: datetime, problem: str = "") -> None:
    WantedCode.objects.filter(pk=row.pk).update(state=state, problem=problem, tries=row.tries + 1)


def _wait(row: WantedCode, at: datetime, error: MakeLater) -> None:
    if row.tries + 1 >= _MOST_TRIES:
        _settle(row, MakingState.FAILED, at, error.sentence)
        return
    wait = min(21_600.0, 30.0 * 2**row.tries) if error.seconds is None else error.seconds
    next_at = at + timedelta(seconds=wait)
    WantedCode.objects.filter(pk=row.pk).update(tries=row.tries + 1, problem=error.sentence, next_at=next_at)


def _json(rule: Mapping[str, Any]) -> str:
    return json.dumps(rule, sort_keys=True)
