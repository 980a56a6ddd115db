"""Carts as their sources state them: filled, changed, emptied, at the checkout."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from regulars.foundation.bulk import copy_rows, execute, fetch
from regulars.foundation.retrying import Overtaken
from regulars.foundation.vault.rows import reserve_ids
from regulars.record.carts import events
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.carts.links import seal_links
from regulars.record.carts.models import ORDERED, Cart, CartLine, CartState
from regulars.record.carts.operations.ending import settle_carts
from regulars.record.carts.operations.merging import merge
from regulars.record.carts.operations.words import Words, by_cart, names_in, words_of
from regulars.record.carts.queries import carts_named, silence_of_carts
from regulars.record.catalog.operations import SoldItem, ensure_variants
from regulars.record.catalog.operations.turns import take_turns
from regulars.record.customers.inputs import PersonInput
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import LogTransaction

_KEPT_TOUCHES = 1000


def apply_carts(
    inputs: Sequence[CartInput], log: LogTransaction, *, store_id: int, is_history: bool = False
) -> dict[str, int]:
    """Makes the carts hold what the inputs say; of two about one cart the later counts. Cart of each key of the inputs.

    A cart has many names (``CartKey``). An input that is older than the cart changes nothing of what lies in it, and counts as a touch.
    A change wakes an abandoned cart up; of one that was ordered it says what lay in it. What is claimed stands at ``CartInput``. Whether
    a cart was ordered, and which carts are one, is worked out by the reader ``carts.settling``; at once where what comes is late.
    Number of statements: fixed. Raises Overtaken. Events: cart.opened, cart.changed, cart.checkout_started, and those of ``settle_carts``.
    """
    if not inputs:
        return {}
    take_turns(store_id)
    told = sorted(inputs, key=lambda cart: cart.occurred_at)
    there = _there(told, store_id)
    known = {cart.pk: cart for cart in there.values()}
    groups, names = by_cart(told, {key: cart.pk for key, cart in there.items()})
    said = {slot: words_of(some, known.get(slot)) for slot, some in groups.items()}
    profiles = _profiles(said, log, is_history)
    fresh = [slot for slot in said if slot not in known]
    ids = {pk: pk for pk in known} | dict(zip(fresh, reserve_ids("carts_cart", len(fresh)), strict=True))
    wanted = {ids[slot]: words for slot, words in said.items()}
    rows = {key: ids[slot] for key, slot in names.items()}
    made = [_new(ids[slot], said[slot], profiles[slot], store_id, log, is_history) for slot in fresh]
    _make(made)
    _name({key: row for key, row in rows.items() if key not in there}, store_id)
    changes = [_take_over(cart, wanted[cart.pk], profiles[cart.pk], is_history) for cart in known.values()]
    changes += [Change(cart, is_new=True, is_filled=cart.filled_at is not None) for cart in made]
    _write([change.cart for change in changes if not change.is_new])
    _touch({row: wanted[row] for row in known if not wanted[row].is_silent})
    others = _replace_lines(changes, wanted, log, store_id, is_history)
    seal_links([(c.cart, c.profile_before, wanted[c.cart.pk].recovery_url) for c in changes if c.takes_link])
    _tell(changes, others, wanted, log, is_history)
    if unsettled := [change.cart.pk for change in changes if change.is_unsettled]:
        settle_carts(unsettled, log, told[-1].occurred_at, silence_of_carts())
    return rows


def _profiles(said: Mapping[int, Words], log: LogTransaction, is_history: bool) -> dict[int, int | None]:
    """Whose each cart is said to be."""
    people = {slot: words.whose for slot, words in said.items() if isinstance(words.whose, PersonInput)}
    ensured = ensure_profiles(list(people.values()), log, is_history=is_history)
    found = {slot: words.whose for slot, words in said.items() if not isinstance(words.whose, PersonInput)}
    return {**found, **dict(zip(people, ensured, strict=True))}


class Change:
    """What the words did to one cart."""

    def __init__(self, cart: Cart, *, is_new: bool = False, is_filled: bool = False) -> None:
        self.cart = cart
        self.is_new = is_new
        self.is_filled = is_filled  # its lines are written anew
        self.is_emptied = False
        self.is_unsettled = (
            False  # whether it was ordered has to be worked out at once: no event will say that it changed
        )
        self.takes_link = True
        self.begins_checkout = is_new and cart.is_checkout
        self.profile_before = cart.profile_id


def _there(inputs: Sequence[CartInput], store_id: int) -> dict[str, Cart]:
    """Known carts by every name that the inputs give, locked in the order of their ids. Two that an input calls one are one from now on.
    Raises Overtaken.
    """
    wanted = {key for one in inputs for key in names_in(one)}
    found = carts_named(store_id, wanted)
    rows = Cart.objects.select_for_update().filter(pk__in=set(found.values())).exclude(state=CartState.MERGED)
    carts = {cart.pk: cart for cart in rows.order_by("pk")}
    if len(carts) < len(set(found.values())):
        raise Overtaken  # one was erased, or went into another, between the two statements
    for one in inputs:
        named = {found[key] for key in names_in(one) if key in found}
        if len(named) > 1:
            whole = max((carts[row] for row in named), key=lambda c: (c.state in ORDERED, c.changed_at, c.pk))
            for row in named - {whole.pk}:
                merge(carts[row], whole)
            found |= {key: whole.pk for key, row in found.items() if row in named}
    return {key: carts[row] for key, row in found.items()}


def _new(row: int, said: Words, profile: int | None, store_id: int, log: LogTransaction, is_history: bool) -> Cart:
    return Cart(
        id=row,
        store_id=store_id,
        key=said.key,
        profile_id=profile,
        state=_state(said.is_checkout, said.is_closed),
        currency=said.currency,
        value_minor=said.value_minor,
        opened_at=said.moments[0],
        changed_at=said.at,
        filled_at=said.filled_at,
        touches=list(said.moments[-_KEPT_TOUCHES:]),
        empties=list(said.empties[-_KEPT_TOUCHES:]),
        is_checkout=said.is_checkout,
        is_claimed=said.is_claimed,
        is_history=is_history,
        batch_id=log.batch_id,
    )


def _state(is_checkout: bool, is_closed: bool = False) -> CartState:
    return CartState.CLOSED if is_closed else CartState.CHECKOUT if is_checkout else CartState.OPEN


_NEW = (
    "id", "uid", "store_id", "key", "profile_id", "state", "currency", "value_minor", "opened_at", "changed_at", "filled_at", "touches",
    "empties", "is_told", "is_checkout", "is_claimed", "is_history", "batch_id",
)  # fmt: skip


def _make(carts: Sequence[Cart]) -> None:
    """Writes new carts. By their columns: a bulk insert of Django's costs more than all the rest of a batch."""
    if carts:
        copy_rows("carts_cart", _NEW, ([getattr(cart, column) for column in _NEW] for cart in carts))


def _name(fresh: Mapping[str, int], store_id: int) -> None:
    if fresh:
        copy_rows(
            "carts_cartkey", ("store_id", "key", "cart_id"), [(store_id, *name) for name in sorted(fresh.items())]
        )


def _take_over(cart: Cart, said: Words, person: int | None, is_history: bool) -> Change:
    """Writes onto the row what the words say."""
    change = Change(cart)
    if said.is_silent:
        cart.profile_id = cart.profile_id or person
        change.takes_link = False
        change.is_unsettled = cart.profile_id != change.profile_before
        return change
    if said.is_first_word:
        _forget(cart, said)
    is_newer = cart.changed_at <= said.at
    cart.profile_id = (person or cart.profile_id) if is_newer else (cart.profile_id or person)
    change.begins_checkout = said.is_checkout and not cart.is_checkout
    cart.is_checkout |= said.is_checkout
    change.is_filled = said.filled_at is not None and (cart.filled_at is None or cart.filled_at <= said.filled_at)
    _take_content(change, said, is_newer)
    if is_newer:
        cart.changed_at, cart.is_history = said.at, is_history
    change.takes_link = is_newer or not cart.recovery_url
    is_late = not is_newer or said.is_first_word or cart.profile_id != change.profile_before
    change.is_unsettled = cart.state in ORDERED or is_late
    return change


def _forget(cart: Cart, said: Words) -> None:
    """What browsers said of it counts no more, but for when they touched it before that; an order that names it still does."""
    touches, empties = (sorted(at for at in some if at < said.moments[0]) for some in (cart.touches, cart.empties))
    cart.opened_at, cart.changed_at = min([*touches, said.moments[0]]), said.moments[0]
    cart.filled_at, cart.value_minor, cart.is_checkout, cart.is_claimed = None, 0, False, False
    if cart.state not in ORDERED or (cart.is_told and cart.order_id is None):
        cart.state, cart.is_told, cart.ordered_at = CartState.OPEN, False, None
    CartLine.objects.filter(cart=cart).delete()
    Cart.objects.filter(pk=cart.pk).update(touches=touches, empties=empties)


def _take_content(change: Change, said: Words, is_newer: bool) -> None:
    """What lies in it, and its state. That it was emptied by ordering is no news."""
    cart = change.cart
    if cart.state in ORDERED:
        if change.is_filled:
            cart.value_minor, cart.currency = said.filled_minor, said.currency
    elif is_newer:
        change.is_emptied = not said.lines and cart.value_minor > 0
        cart.state = _state(cart.is_checkout, said.is_closed)
        cart.value_minor, cart.currency = said.value_minor, said.currency
    elif cart.state == CartState.OPEN:
        cart.state = _state(cart.is_checkout)
    if change.is_filled:
        cart.filled_at = said.filled_at


_WRITE = """
UPDATE carts_cart c SET profile_id = w.profile_id, state = w.state, currency = w.currency, value_minor = w.value_minor,
    opened_at = w.opened_at, changed_at = w.changed_at, filled_at = w.filled_at, ordered_at = w.ordered_at,
    is_checkout = w.is_checkout, is_claimed = w.is_claimed, is_history = w.is_history, is_told = w.is_told
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::timestamptz[], %s::timestamptz[],
    %s::timestamptz[], %s::timestamptz[], %s::boolean[], %s::boolean[], %s::boolean[], %s::boolean[])
    AS w(id, profile_id, state, currency, value_minor, opened_at, changed_at, filled_at, ordered_at, is_checkout, is_claimed, is_history,
        is_told)
WHERE c.id = w.id
"""
_TOUCH = """
UPDATE carts_cart c SET opened_at = least(c.opened_at, w.first_at),
    touches = (c.touches || w.moments)[greatest(1, cardinality(c.touches) + cardinality(w.moments) - %(kept)s):],
    empties = (c.empties || w.empties)[greatest(1, cardinality(c.empties) + cardinality(w.empties) - %(kept)s):]
FROM (
    SELECT t.id, min(t.at) AS first_at, array_agg(DISTINCT t.at) AS moments,
        coalesce(array_agg(DISTINCT t.at) FILTER (WHERE t.is_empty), '{}') AS empties
    FROM unnest(%(carts)s::bigint[], %(moments)s::timestamptz[], %(empty)s::boolean[]) AS t(id, at, is_empty)
    JOIN carts_cart old ON old.id = t.id
    WHERE t.at <> ALL(old.touches) GROUP BY t.id
) w
WHERE c.id = w.id
"""


def _write(carts: Sequence[Cart]) -> None:
    """Writes what was taken over. One statement: a bulk update of Django's costs more than all the rest of a batch."""
    rows = [
        (c.pk, c.profile_id, str(c.state), c.currency, c.value_minor, c.opened_at, c.changed_at, c.filled_at, c.ordered_at,
         c.is_checkout, c.is_claimed, c.is_history, c.is_told)
        for c in carts
    ]  # fmt: skip
    if rows:
        execute(_WRITE, [list(column) for column in zip(*rows, strict=True)])


def _touch(said: Mapping[int, Words]) -> None:
    """Notes when carts were touched, also by what came late."""
    touches = [(row, at, at in words.empties) for row, words in said.items() for at in words.moments]
    if touches:
        carts, moments, empty = (list(column) for column in zip(*touches, strict=True))
        execute(_TOUCH, {"kept": _KEPT_TOUCHES, "carts": carts, "moments": moments, "empty": empty})


_LINES = "SELECT cart_id, sku, quantity, unit_price FROM carts_cartline WHERE cart_id = ANY(%s)"


def _replace_lines(
    changes: Sequence[Change], wanted: Mapping[int, Words], log: LogTransaction, store_id: int, is_history: bool
) -> set[int]:
    """Writes the lines of the carts that were filled; those whose lines are others than before."""
    said = {change.cart.pk: wanted[change.cart.pk] for change in changes if change.is_filled}
    lines = {cart: words.filled for cart, words in said.items()}
    items = {_item(line) for some in lines.values() for line in some}
    at = min(_moments(said.values()), default=None)
    variants = ensure_variants(items, log, store_id=store_id, at=at, is_history=is_history) if at else {}
    before: dict[int, list[tuple[object, ...]]] = {}
    known = [change.cart.pk for change in changes if change.is_filled and not change.is_new]
    for cart, *row in fetch(_LINES, [known]) if known else ():
        before.setdefault(cart, []).append(tuple(row))
    changed = {
        cart
        for cart, some in lines.items()
        if sorted(before.get(cart, []), key=repr)
        != sorted([(x.sku, x.quantity, round(x.unit_price, 6)) for x in some], key=repr)
    }
    if gone := changed & before.keys():
        execute("DELETE FROM carts_cartline WHERE cart_id = ANY(%s)", [list(gone)])
    rows = [
        (cart, variants.get(_item(line).name), line.sku, line.title, line.quantity, round(line.unit_price, 6))
        for cart in sorted(changed)
        for line in lines[cart]
    ]
    if rows:
        copy_rows("carts_cartline", ("cart_id", "variant_id", "sku", "title", "quantity", "unit_price"), rows)
    return changed


def _moments(said: Iterable[Words]) -> list[datetime]:
    return [words.filled_at for words in said if words.filled_at]


def _item(line: CartLineInput) -> SoldItem:
    return SoldItem(line.product_key, line.sku, line.title, variant_key=line.variant_key)


def _tell(
    changes: Sequence[Change], others: set[int], wanted: Mapping[int, Words], log: LogTransaction, is_history: bool
) -> None:
    owners = customers_of(change.cart.profile_id for change in changes if change.cart.profile_id)
    for change in changes:
        cart, said = change.cart, wanted[change.cart.pk]
        is_other = cart.pk in others or change.is_emptied
        kinds = [events.CART_OPENED] if change.is_new else [events.CART_CHANGED] if is_other else []
        kinds += [events.CHECKOUT_STARTED] if change.begins_checkout else []
        owner = owners.get(cart.profile_id or 0)
        at, lines = said.at, len(said.lines)
        log.append(*(events.of_cart(kind, cart, owner, at, is_history, lines=lines) for kind in kinds))
