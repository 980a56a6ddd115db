"""Wishes, searches, reviews and tried coupons as their sources tell them: the same rows in whatever order they come.

What happened stands on the log as the event that its source appends; these are the folds of it.
"""

from collections.abc import Iterable, Sequence

from regulars.foundation.bulk import execute
from regulars.foundation.sealing import Cell, seal
from regulars.foundation.vault import keys
from regulars.record.coupons.rules import name_of
from regulars.record.events.log import LogTransaction
from regulars.record.interest.inputs import ReviewInput, SearchInput, TriedCouponInput, WishInput
from regulars.record.interest.models import CouponStep

LONGEST_SEARCH = 200  # the whole of it stands on the log
LONGEST_CODE = 120

_WISHES = """
INSERT INTO interest_wishlistitem AS i
    (profile_id, list_key, item_key, product_key, sku, title, unit_price, currency, added_at, removed_at, batch_id)
SELECT w.*, %s FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::numeric[], %s::text[],
    %s::timestamptz[], %s::timestamptz[]) AS w
ON CONFLICT (profile_id, list_key, item_key) DO UPDATE SET
    (product_key, sku, title, unit_price, currency) = (
        SELECT n.product_key, n.sku, n.title, n.unit_price, n.currency
        FROM (VALUES (i.product_key, i.sku, i.title, i.unit_price, i.currency, i.added_at),
            (excluded.product_key, excluded.sku, excluded.title, excluded.unit_price, excluded.currency, excluded.added_at))
            AS n(product_key, sku, title, unit_price, currency, added_at)
        ORDER BY n.added_at DESC NULLS LAST, n.title DESC, n.unit_price DESC NULLS LAST LIMIT 1),
    added_at = greatest(i.added_at, excluded.added_at), removed_at = greatest(i.removed_at, excluded.removed_at)
"""
_SEARCHES = """
INSERT INTO interest_search AS s (profile_id, token, words, count, first_at, last_at, batch_id)
SELECT w.*, %s FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[], %s::integer[], %s::timestamptz[], %s::timestamptz[]) AS w
ON CONFLICT (profile_id, token) DO UPDATE SET count = s.count + excluded.count,
    words = CASE WHEN excluded.last_at >= s.last_at THEN excluded.words ELSE s.words END,
    first_at = least(s.first_at, excluded.first_at), last_at = greatest(s.last_at, excluded.last_at)
"""
_REVIEWS = """
INSERT INTO interest_review AS r (profile_id, key, product_key, rating, body, is_claimed, written_at, batch_id)
SELECT w.*, %s FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::numeric[], %s::bytea[], %s::boolean[], %s::timestamptz[]) AS w
ON CONFLICT (profile_id, key) DO UPDATE SET product_key = excluded.product_key, rating = excluded.rating, body = excluded.body,
    is_claimed = excluded.is_claimed, written_at = excluded.written_at
WHERE (r.is_claimed, excluded.written_at) >= (excluded.is_claimed, r.written_at)
"""
_COUPONS = """
INSERT INTO interest_triedcoupon AS t
    (profile_id, name, code, entered_at, denied_at, removed_at, applied_at, discount, currency, batch_id)
SELECT c.*, %s FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
    %s::timestamptz[], %s::numeric[], %s::text[]) AS c
ON CONFLICT (profile_id, name) DO UPDATE SET
    code = least(t.code, excluded.code),
    (discount, currency) = (
        SELECT n.discount, n.currency
        FROM (VALUES (t.discount, t.currency, t.applied_at), (excluded.discount, excluded.currency, excluded.applied_at))
            AS n(discount, currency, applied_at)
        ORDER BY n.applied_at DESC NULLS LAST, n.discount DESC NULLS LAST LIMIT 1),
    entered_at = greatest(t.entered_at, excluded.entered_at), denied_at = greatest(t.denied_at, excluded.denied_at),
    removed_at = greatest(t.removed_at, excluded.removed_at), applied_at = greatest(t.applied_at, excluded.applied_at)
"""


def apply_wishes(inputs: Iterable[WishInput], log: LogTransaction) -> None:
    """Puts things on wishlists and takes them off."""
    said: dict[tuple[int, str, str], list[WishInput]] = {}
    for one in inputs:
        said.setdefault((one.profile_id, one.list_key[:120], one.item_key), []).append(one)
    rows = [_wish(key, some) for key, some in sorted(said.items())]
    _write(_WISHES, rows, log)


def _wish(key: tuple[int, str, str], said: Sequence[WishInput]) -> tuple[object, ...]:
    newest = max(said, key=lambda one: (not one.is_removed, one.occurred_at, one.title, one.unit_price or 0))
    added, removed = (
        max((one.occurred_at for one in said if one.is_removed == is_removed), default=None)
        for is_removed in (False, True)
    )
    return (
        *key,
        newest.product_key[:120],
        newest.sku[:120],
        newest.title,
        newest.unit_price,
        newest.currency,
        added,
        removed,
    )


def apply_searches(inputs: Iterable[SearchInput], log: LogTransaction) -> None:
    """Counts searches; empty ones are none."""
    ring = keys.key_ring()
    said: dict[tuple[int, bytes], list[SearchInput]] = {}
    for one in inputs:
        if name := " ".join(one.words[:LONGEST_SEARCH].casefold().split()):
            said.setdefault((one.profile_id, ring.token("search", f"{one.profile_id} {name}")), []).append(one)
    plain = keys.find_keys(profile for profile, _ in said) if said else {}
    rows = []
    for (profile, token), some in sorted(said.items()):
        ordered = sorted(some, key=lambda one: one.occurred_at)
        typed = ordered[-1].words[:LONGEST_SEARCH].strip().encode()
        words = seal(plain[profile], typed, cell_of("search", "words", profile))
        rows.append((profile, token, words, len(some), ordered[0].occurred_at, ordered[-1].occurred_at))
    _write(_SEARCHES, rows, log)


def apply_reviews(inputs: Iterable[ReviewInput], log: LogTransaction) -> None:
    """Makes reviews what was said of them last."""
    newest: dict[tuple[int, str], ReviewInput] = {}
    for one in sorted(inputs, key=lambda one: (not one.is_claimed, one.occurred_at)):
        newest[one.profile_id, one.key[:120]] = one
    plain = keys.find_keys(profile for profile, _ in newest) if newest else {}
    rows = []
    for (profile, key), one in sorted(newest.items()):
        cell = cell_of("review", "body", profile)
        body = seal(plain[profile], one.body.encode(), cell) if one.body else None
        rows.append((profile, key, one.product_key[:120], one.rating, body, one.is_claimed, one.occurred_at))
    _write(_REVIEWS, rows, log)


def apply_tried_coupons(inputs: Iterable[TriedCouponInput], log: LogTransaction) -> None:
    """Remembers what became of codes at the checkout; what has no code is none."""
    said: dict[tuple[int, str], list[TriedCouponInput]] = {}
    for one in inputs:
        if name := name_of(one.code[:LONGEST_CODE]):
            said.setdefault((one.profile_id, name), []).append(one)
    _write(_COUPONS, [_tried(key, some) for key, some in sorted(said.items())], log)


def _tried(key: tuple[int, str], said: Sequence[TriedCouponInput]) -> tuple[object, ...]:
    times = (max((one.occurred_at for one in said if one.step == step), default=None) for step in CouponStep)
    applied = [one for one in said if one.step == CouponStep.APPLIED]
    newest = max(applied, key=lambda one: (one.occurred_at, one.discount or 0), default=None)
    code = min(one.code[:LONGEST_CODE].strip() for one in said)
    return (*key, code, *times, newest.discount if newest else None, newest.currency if newest else "")


def cell_of(table: str, column: str, profile_id: int) -> Cell:
    """Sealed parts are bound to the profile: which row an upsert meets is known to the database alone."""
    return Cell(f"interest_{table}", column, profile_id)


def _write(statement: str, rows: Sequence[tuple[object, ...]], log: LogTransaction) -> None:
    if rows:
        execute(statement, [log.batch_id, *(list(column) for column in zip(*rows, strict=True))])
