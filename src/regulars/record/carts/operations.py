"""What can be done to carts: filled and changed, checked out, abandoned by silence, ordered."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Count

from regulars.foundation.bulk import execute
from regulars.foundation.money import line_total
from regulars.foundation.sealing import Cell, seal
from regulars.foundation.vault import keys
from regulars.foundation.vault.rows import reserve_ids
from regulars.record.carts import events
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.carts.models import Cart, CartLine, CartState
from regulars.record.catalog.operations import SoldItem, ensure_variants
from regulars.record.catalog.operations.turns import take_turns
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import LogTransaction

_LIVE = (CartState.OPEN, CartState.CHECKOUT, CartState.ABANDONED)


def apply_carts(
    inputs: Sequence[CartInput], log: LogTransaction, *, store_id: int, is_history: bool = False
) -> dict[str, int]:
    """Makes the carts hold what the inputs say; of two with one key the last counts. Cart of each key.

    An input that is older than the cart, or for a cart that was ordered, changes nothing. A change wakes an abandoned cart up.
    Number of statements: fixed. Events: cart.opened, cart.changed, cart.checkout_started.
    """
    take_turns(store_id)
    wanted = {cart.key: cart for cart in sorted(inputs, key=lambda cart: cart.occurred_at)}
    there = {c.key: c for c in Cart.objects.select_for_update().filter(store=store_id, key__in=wanted).order_by("pk")}
    people = [cart.person for cart in wanted.values() if cart.person]
    profiles = dict(zip(map(id, people), ensure_profiles(people, log, is_history=is_history), strict=True))
    fresh = [key for key in wanted if key not in there]
    ids = dict(zip(fresh, reserve_ids("carts_cart", len(fresh)), strict=True))
    made = [_new(ids[key], wanted[key], profiles, store_id, log) for key in fresh]
    Cart.objects.bulk_create(made)
    changed = [c for c in there.values() if c.state in _LIVE and c.changed_at <= wanted[c.key].occurred_at]
    moved = [c for c in changed if _take_over(c, wanted[c.key], profiles)]
    _move(moved)
    moved_lines = _replace_lines([*made, *changed], wanted, log, store_id, is_history)
    _seal_links([*made, *moved], wanted)
    _tell(made, moved, moved_lines, wanted, log, is_history)
    return {cart.key: cart.pk for cart in (*made, *there.values())}


def _new(row: int, said: CartInput, profiles: Mapping[int, int], store_id: int, log: LogTransaction) -> Cart:
    return Cart(
        id=row,
        store_id=store_id,
        key=said.key,
        profile_id=profiles.get(id(said.person)),
        state=CartState.CHECKOUT if said.is_checkout else CartState.OPEN,
        currency=said.currency,
        value_minor=_value(said),
        opened_at=said.occurred_at,
        changed_at=said.occurred_at,
        batch_id=log.batch_id,
    )


def _value(said: CartInput) -> int:
    return sum(line_total(line.quantity, line.unit_price, said.currency) for line in said.lines)


def _take_over(cart: Cart, said: CartInput, profiles: Mapping[int, int]) -> bool:
    """Writes onto the row what the input says; whether anything is newer."""
    before = (cart.profile_id, cart.state, cart.currency, cart.value_minor, cart.changed_at)
    cart.profile_id = profiles.get(id(said.person)) or cart.profile_id
    cart.state = CartState.CHECKOUT if said.is_checkout or cart.state == CartState.CHECKOUT else CartState.OPEN
    cart.currency, cart.value_minor, cart.changed_at = said.currency, _value(said), said.occurred_at
    return before != (cart.profile_id, cart.state, cart.currency, cart.value_minor, cart.changed_at)


_MOVE = """
UPDATE carts_cart c SET profile_id = w.profile_id, state = w.state, currency = w.currency, value_minor = w.value_minor,
    changed_at = w.changed_at
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::timestamptz[])
    AS w(id, profile_id, state, currency, value_minor, changed_at)
WHERE c.id = w.id
"""


def _move(carts: Sequence[Cart]) -> None:
    """Writes what was taken over. One statement: a bulk update of Django's costs more than all the rest of a batch."""
    rows = [(c.pk, c.profile_id, str(c.state), c.currency, c.value_minor, c.changed_at) for c in carts]
    if rows:
        execute(_MOVE, [list(column) for column in zip(*rows, strict=True)])


def _replace_lines(
    carts: Sequence[Cart], wanted: Mapping[str, CartInput], log: LogTransaction, store_id: int, is_history: bool
) -> set[int]:
    """Writes the lines of these carts; those whose lines are others than before."""
    lines = {cart.pk: wanted[cart.key].lines for cart in carts}
    items = {_item(line) for some in lines.values() for line in some}
    at = min((wanted[cart.key].occurred_at for cart in carts), default=None)
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
    return changed


def _item(line: CartLineInput) -> SoldItem:
    return SoldItem(line.product_key, line.sku, line.title)


def _seal_links(carts: Sequence[Cart], wanted: Mapping[str, CartInput]) -> None:
    told = [cart for cart in carts if cart.profile_id and wanted[cart.key].recovery_url]
    plain = keys.find_keys(cart.profile_id for cart in told if cart.profile_id)
    for cart in told:
        if key := plain.get(cart.profile_id or 0):
            cart.recovery_url = seal(
                key, wanted[cart.key].recovery_url.encode(), Cell("carts_cart", "recovery_url", cart.pk)
            )
    Cart.objects.bulk_update(told, ["recovery_url"], batch_size=1000)


def _tell(
    made: Sequence[Cart],
    moved: Sequence[Cart],
    moved_lines: set[int],
    wanted: Mapping[str, CartInput],
    log: LogTransaction,
    is_history: bool,
) -> None:
    owners = customers_of(cart.profile_id for cart in (*made, *moved) if cart.profile_id)
    new = {cart.pk for cart in made}
    for cart in (*made, *moved):
        said = wanted[cart.key]
        is_new = cart.pk in new
        if is_new or cart.pk in moved_lines:
            kind = events.CART_OPENED if is_new else events.CART_CHANGED
            log.append(
                events.of_cart(
                    kind, cart, owners.get(cart.profile_id or 0), said.occurred_at, is_history, lines=len(said.lines)
                )
            )
        if said.is_checkout:
            started = events.CHECKOUT_STARTED
            log.append(
                events.of_cart(
                    started, cart, owners.get(cart.profile_id or 0), said.occurred_at, is_history, lines=len(said.lines)
                )
            )


def abandon_silent_carts(log: LogTransaction, at: datetime, silence: timedelta, limit: int = 500) -> int:
    """Carts with something in them that nobody touched for so long are abandoned; how many. Event: cart.abandoned, at its end."""
    rows = Cart.objects.select_for_update(skip_locked=True).filter(
        state__in=(CartState.OPEN, CartState.CHECKOUT), changed_at__lte=at - silence, value_minor__gt=0
    )
    carts = list(rows.order_by("changed_at", "pk")[:limit])
    Cart.objects.filter(pk__in=[cart.pk for cart in carts]).update(state=CartState.ABANDONED)
    owners = customers_of(cart.profile_id for cart in carts if cart.profile_id)
    counts = _line_counts(carts)
    log.append(
        *(
            events.of_cart(
                events.CART_ABANDONED,
                c,
                owners.get(c.profile_id or 0),
                c.changed_at + silence,
                lines=counts.get(c.pk, 0),
            )
            for c in carts
        )
    )
    return len(carts)


def order_carts(orders: Mapping[int, int | None], log: LogTransaction, at: datetime, is_history: bool = False) -> int:
    """Carts (by id) became orders: 'recovered' where they had been abandoned. How many that changed. Events: cart.ordered, cart.recovered.

    An order of None: somebody says that it was ordered, and the record knows no such order.
    """
    carts = list(Cart.objects.select_for_update().filter(pk__in=orders, state__in=_LIVE).order_by("pk"))
    owners = customers_of(cart.profile_id for cart in carts if cart.profile_id)
    counts = _line_counts(carts)
    for cart in carts:
        is_recovered = cart.state == CartState.ABANDONED
        cart.state = CartState.RECOVERED if is_recovered else CartState.ORDERED
        cart.order_id, cart.changed_at = orders[cart.pk], max(at, cart.changed_at)
        kind = events.CART_RECOVERED if is_recovered else events.CART_ORDERED
        told = {"order_id": cart.order_id, "lines": counts.get(cart.pk, 0)}
        log.append(events.of_cart(kind, cart, owners.get(cart.profile_id or 0), at, is_history, **told))
    Cart.objects.bulk_update(carts, ["state", "order", "changed_at"], batch_size=1000)
    return len(carts)


def _line_counts(carts: Collection[Cart]) -> dict[int, int]:
    rows = CartLine.objects.filter(cart__in=carts).values_list("cart_id").annotate(count=Count("id"))
    return dict(rows)
