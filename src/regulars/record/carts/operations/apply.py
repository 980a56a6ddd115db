"""Carts as their sources state them: filled, changed, emptied, at the checkout."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from regulars.foundation.bulk import execute
from regulars.foundation.money import line_total
from regulars.foundation.sealing import seal
from regulars.foundation.vault import keys
from regulars.foundation.vault.rows import reserve_ids
from regulars.record.carts import events
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.carts.models import ORDERED, Cart, CartKey, CartLine, CartState
from regulars.record.carts.operations.ending import settle_carts
from regulars.record.carts.operations.merging import link_cell, merge
from regulars.record.carts.queries import silence_of_carts
from regulars.record.catalog.operations import SoldItem, ensure_variants
from regulars.record.catalog.operations.turns import take_turns
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import LogTransaction

_KEPT_TOUCHES = 1000


def apply_carts(
    inputs: Sequence[CartInput], log: LogTransaction, *, store_id: int, is_history: bool = False
) -> dict[str, int]:
    """Makes the carts hold what the inputs say; of two about one cart the later counts. Cart of each key of the inputs.

    A cart has many names (``CartKey``). An input that is older than the cart changes nothing of what lies in it, and counts as a touch.
    A change wakes an abandoned cart up; of one that was ordered it says what lay in it. Whether it was ordered, and which carts are one,
    is worked out by the reader ``carts.settling``. Number of statements: fixed. Events: cart.opened, cart.changed,
    cart.checkout_started.
    """
    if not inputs:
        return {}
    take_turns(store_id)
    told = sorted(inputs, key=lambda cart: cart.occurred_at)
    there = _there(told, store_id)
    slots, names = _slots(told, {key: cart.pk for key, cart in there.items()})
    people = [cart.person for cart in slots.values() if cart.person]
    profiles = dict(zip(map(id, people), ensure_profiles(people, log, is_history=is_history), strict=True))
    known = {cart.pk: cart for cart in there.values()}
    fresh = [slot for slot in slots if slot not in known]
    ids = {pk: pk for pk in known} | dict(zip(fresh, reserve_ids("carts_cart", len(fresh)), strict=True))
    wanted = {ids[slot]: said for slot, said in slots.items()}
    rows = {key: ids[slot] for key, slot in names.items()}
    made = [_new(ids[slot], slots[slot], profiles, store_id, log, is_history) for slot in fresh]
    Cart.objects.bulk_create(made)
    _name({key: row for key, row in rows.items() if key not in there}, store_id)
    newer = [cart for cart in known.values() if cart.changed_at <= wanted[cart.pk].occurred_at]
    moved = [cart for cart in newer if _take_over(cart, wanted[cart.pk], profiles, is_history)]
    _move(newer)
    _touch([(rows[one.key], one.occurred_at) for one in told])
    filled = [cart for cart in (*made, *known.values()) if _is_filled_by(cart, wanted[cart.pk])]
    moved_lines = _replace_lines(filled, wanted, log, store_id, is_history)
    _seal_links([*made, *moved], wanted)
    _tell(made, moved, moved_lines, wanted, log, is_history)
    if late := [cart.pk for cart in known.values() if cart.state in ORDERED or cart not in newer]:
        settle_carts(late, log, max(one.occurred_at for one in told), silence_of_carts())
    return rows


def _there(inputs: Sequence[CartInput], store_id: int) -> dict[str, Cart]:
    """Known carts by every name that the inputs give, locked in the order of their ids. Two that an input calls one are one from now on."""
    wanted = {key for cart in inputs for key in (cart.key, *cart.other_keys)}
    found: dict[str, int] = dict(CartKey.objects.filter(store=store_id, key__in=wanted).values_list("key", "cart_id"))
    carts = {c.pk: c for c in Cart.objects.select_for_update().filter(pk__in=set(found.values())).order_by("pk")}
    for one in inputs:
        named = {found[key] for key in (one.key, *one.other_keys) if key in found}
        if len(named) > 1:
            whole = max((carts[row] for row in named), key=lambda c: (c.state in ORDERED, c.changed_at, c.pk))
            for row in named - {whole.pk}:
                merge(carts[row], whole)
            found |= {key: whole.pk for key, row in found.items() if row in named}
    return {key: carts[row] for key, row in found.items()}


def _slots(inputs: Sequence[CartInput], there: Mapping[str, int]) -> tuple[dict[int, CartInput], dict[str, int]]:
    """The newest input about each cart, by its id (below zero: a new one), and the cart of every key. Oldest inputs first."""
    names = dict(there)
    slots: dict[int, CartInput] = {}
    for one in inputs:
        own = (one.key, *one.other_keys)
        slot = next((names[key] for key in own if key in names), -1 - len(slots))
        names |= {key: slot for key in own if key not in names}
        slots[slot] = _with_what_was_said(one, slots[slot]) if slot in slots else one
    return slots, {key: names[key] for one in inputs for key in (one.key, *one.other_keys)}


def _with_what_was_said(one: CartInput, before: CartInput) -> CartInput:
    """The newer of two inputs about one cart, with what only the older one says."""
    return replace(
        one,
        person=one.person or before.person,
        is_checkout=one.is_checkout or before.is_checkout,
        recovery_url=one.recovery_url or before.recovery_url,
    )


def _new(
    row: int, said: CartInput, profiles: Mapping[int, int], store_id: int, log: LogTransaction, is_history: bool
) -> Cart:
    return Cart(
        id=row,
        store_id=store_id,
        key=said.key,
        profile_id=profiles.get(id(said.person)),
        state=_state(said.is_checkout, said.is_closed),
        currency=said.currency,
        value_minor=_value(said),
        opened_at=said.occurred_at,
        changed_at=said.occurred_at,
        filled_at=said.occurred_at if said.lines else None,
        touches=[said.occurred_at],
        is_checkout=said.is_checkout,
        is_history=is_history,
        batch_id=log.batch_id,
    )


def _state(is_checkout: bool, is_closed: bool = False) -> CartState:
    return CartState.CLOSED if is_closed else CartState.CHECKOUT if is_checkout else CartState.OPEN


def _value(said: CartInput) -> int:
    return sum(line_total(line.quantity, line.unit_price, said.currency) for line in said.lines)


def _name(fresh: Mapping[str, int], store_id: int) -> None:
    CartKey.objects.bulk_create(CartKey(store_id=store_id, key=key, cart_id=row) for key, row in sorted(fresh.items()))


def _take_over(cart: Cart, said: CartInput, profiles: Mapping[int, int], is_history: bool) -> bool:
    """Writes onto the row what a newer input says; whether anything differs."""
    before = (cart.profile_id, cart.state, cart.currency, cart.value_minor, cart.changed_at)
    cart.profile_id = profiles.get(id(said.person)) or cart.profile_id
    cart.is_checkout = cart.is_checkout or said.is_checkout
    if cart.state not in ORDERED:
        cart.state = _state(cart.is_checkout, said.is_closed)
    if said.lines or cart.state not in ORDERED:  # that it was emptied by ordering is no news
        cart.value_minor, cart.currency = _value(said), said.currency
    cart.changed_at, cart.is_history = said.occurred_at, is_history
    return before != (cart.profile_id, cart.state, cart.currency, cart.value_minor, cart.changed_at)


_MOVE = """
UPDATE carts_cart c SET profile_id = coalesce(w.profile_id, c.profile_id), state = w.state, currency = w.currency,
    value_minor = w.value_minor, changed_at = w.changed_at, is_checkout = w.is_checkout, is_history = w.is_history
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::timestamptz[], %s::boolean[], %s::boolean[])
    AS w(id, profile_id, state, currency, value_minor, changed_at, is_checkout, is_history)
WHERE c.id = w.id
"""
_TOUCH = """
UPDATE carts_cart c SET opened_at = least(c.opened_at, w.first_at),
    touches = (c.touches || w.moments)[greatest(1, cardinality(c.touches) + cardinality(w.moments) - %s):]
FROM (
    SELECT t.id, min(t.at) AS first_at, array_agg(DISTINCT t.at) AS moments
    FROM unnest(%s::bigint[], %s::timestamptz[]) AS t(id, at) JOIN carts_cart old ON old.id = t.id
    WHERE t.at <> ALL(old.touches) GROUP BY t.id
) w
WHERE c.id = w.id
"""


def _move(carts: Sequence[Cart]) -> None:
    """Writes what was taken over. One statement: a bulk update of Django's costs more than all the rest of a batch."""
    rows = [
        (c.pk, c.profile_id, str(c.state), c.currency, c.value_minor, c.changed_at, c.is_checkout, c.is_history)
        for c in carts
    ]
    if rows:
        execute(_MOVE, [list(column) for column in zip(*rows, strict=True)])


def _touch(touches: Sequence[tuple[int, datetime]]) -> None:
    """Notes when carts were touched, also by what came late."""
    execute(_TOUCH, [_KEPT_TOUCHES, [row for row, _ in touches], [at for _, at in touches]])


def _is_filled_by(cart: Cart, said: CartInput) -> bool:
    return bool(said.lines) and (cart.filled_at is None or cart.filled_at <= said.occurred_at)


def _replace_lines(
    carts: Sequence[Cart], wanted: Mapping[int, CartInput], log: LogTransaction, store_id: int, is_history: bool
) -> set[int]:
    """Writes the lines of these carts; those whose lines are others than before."""
    lines = {cart.pk: wanted[cart.pk].lines for cart in carts}
    items = {_item(line) for some in lines.values() for line in some}
    at = min((wanted[cart.pk].occurred_at for cart in carts), default=None)
    variants = ensure_variants(items, log, store_id=store_id, at=at, is_history=is_history) if at else {}
    before: dict[int, list[tuple[object, ...]]] = {}
    for cart, *row in CartLine.objects.filter(cart__in=lines).values_list("cart_id", "sku", "quantity", "unit_price"):
        before.setdefault(cart, []).append(tuple(row))
    changed = {
        cart
        for cart, some in lines.items()
        if sorted(before.get(cart, []), key=repr)
        != sorted([(x.sku, x.quantity, round(x.unit_price, 6)) for x in some], key=repr)
    }
    CartLine.objects.filter(cart__in=changed).delete()
    CartLine.objects.bulk_create(
        CartLine(
            cart_id=cart,
            variant_id=variants.get(_item(line).name),
            sku=line.sku,
            title=line.title,
            quantity=line.quantity,
            unit_price=line.unit_price,
        )
        for cart in sorted(changed)
        for line in lines[cart]
    )
    filled = [(cart.pk, wanted[cart.pk]) for cart in carts]
    columns = [row for row, _ in filled], [said.occurred_at for _, said in filled], [_value(said) for _, said in filled]
    execute(_FILLED, columns)
    return changed


_FILLED = """
UPDATE carts_cart c SET filled_at = w.at,
    value_minor = CASE WHEN c.state IN ('ordered', 'recovered') THEN w.value ELSE c.value_minor END
FROM unnest(%s::bigint[], %s::timestamptz[], %s::bigint[]) AS w(id, at, value)
WHERE c.id = w.id AND c.filled_at IS DISTINCT FROM w.at
"""


def _item(line: CartLineInput) -> SoldItem:
    return SoldItem(line.product_key, line.sku, line.title, variant_key=line.variant_key)


def _seal_links(carts: Sequence[Cart], wanted: Mapping[int, CartInput]) -> None:
    told = [cart for cart in carts if cart.profile_id and wanted[cart.pk].recovery_url]
    plain = keys.find_keys(cart.profile_id for cart in told if cart.profile_id)
    for cart in told:
        if key := plain.get(cart.profile_id or 0):
            cart.recovery_url = seal(key, wanted[cart.pk].recovery_url.encode(), link_cell(cart.pk))
    Cart.objects.bulk_update(told, ["recovery_url"], batch_size=1000)


def _tell(
    made: Sequence[Cart],
    moved: Sequence[Cart],
    moved_lines: set[int],
    wanted: Mapping[int, CartInput],
    log: LogTransaction,
    is_history: bool,
) -> None:
    owners = customers_of(cart.profile_id for cart in (*made, *moved) if cart.profile_id)
    new = {cart.pk for cart in made}
    for cart in (*made, *moved):
        said = wanted[cart.pk]
        is_emptied = not said.lines and cart.state not in ORDERED
        is_new, is_other = cart.pk in new, cart.pk in moved_lines or is_emptied
        kinds = [events.CART_OPENED] if is_new else [events.CART_CHANGED] if is_other else []
        kinds += [events.CHECKOUT_STARTED] if said.is_checkout else []
        owner = owners.get(cart.profile_id or 0)
        at, lines = said.occurred_at, len(said.lines)
        log.append(*(events.of_cart(kind, cart, owner, at, is_history, lines=lines) for kind in kinds))
