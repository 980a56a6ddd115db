"""The only writer of orders: set-wise, idempotent by (store, number), whatever the source."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from regulars.foundation.bulk import fetch
from regulars.record.catalog.operations import SoldItem, ensure_variants
from regulars.record.customers.inputs import PersonInput
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import LogTransaction
from regulars.record.orders import rules
from regulars.record.orders.inputs import AdjustmentInput, OrderInput, RefundInput
from regulars.record.orders.operations import adjustments as ledger
from regulars.record.orders.operations import changes
from regulars.record.orders.operations import refunds as given_back
from regulars.record.orders.operations.context import Context
from regulars.record.orders.operations.figures import refresh_figures
from regulars.record.orders.operations.writing import insert_orders


@dataclass(frozen=True)
class Applied:
    """What an application did, by number of orders, refunds and adjustments. ``order_ids`` holds every order of the inputs."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refunds_created: int = 0
    refunds_updated: int = 0
    refunds_unchanged: int = 0
    adjustments_created: int = 0
    adjustments_unchanged: int = 0
    lines: int = 0  # order lines written
    order_ids: dict[str, int] = field(default_factory=dict)

    def __add__(self, other: "Applied") -> "Applied":
        """Sums of two applications; the ids are not carried, so that adding stays cheap however many there were."""
        names = [name for name in vars(self) if name != "order_ids"]
        return Applied(**{name: getattr(self, name) + getattr(other, name) for name in names})


def apply_orders(
    inputs: Sequence[OrderInput],
    log: LogTransaction,
    *,
    store_id: int,
    at: datetime,
    refunds: Sequence[RefundInput] = (),
    adjustments: Sequence[AdjustmentInput] = (),
    is_history: bool = False,
) -> Applied:
    """Makes the record say what the inputs say; of two with one number the last counts.

    ``at`` is when we learnt it: changes of known orders happen then. ``refunds`` are those that come on their own, beside
    the orders' own. An input whose digest is known changes nothing, not even its person. What the catalog does not know is added to
    it. Number of statements: fixed, whatever the number of inputs. Raises NoIdentity for a person without any identity that means
    somebody. Events: order.placed, order.updated, order.paid, order.fulfilled, order.cancelled, order.refunded, and those of
    the customers and products that are new.
    """
    orders = {order.number: order for order in inputs}
    known = _known_orders(orders, store_id)
    digests = {number: rules.digest(order) for number, order in orders.items()}
    fresh = [order for number, order in orders.items() if number not in known]
    changed = [order for number, order in orders.items() if number in known and known[number][1] != digests[number]]
    own_refunds = [
        replace(r, order_number=o.number, person=r.person or o.person) for o in (*fresh, *changed) for r in o.refunds
    ]
    context = _context(fresh, changed, [*own_refunds, *refunds], log, store_id, at, is_history)
    written = insert_orders(fresh, digests, context) + changes.update_orders(changed, known, digests, context)
    numbers = {number: row for number, (row, _) in known.items()} | written.order_ids
    back = given_back.apply_refunds([*own_refunds, *refunds], numbers, context)
    booked = ledger.apply_adjustments(adjustments, context)
    refresh_figures(context.owners[p] for p in written.profiles | back.profiles if p in context.owners)
    return Applied(
        created=len(fresh),
        updated=len(changed),
        unchanged=len(orders) - len(fresh) - len(changed),
        refunds_created=back.created,
        refunds_updated=back.updated,
        refunds_unchanged=back.unchanged,
        adjustments_created=booked,
        adjustments_unchanged=len(adjustments) - booked,
        lines=written.lines,
        order_ids={number: numbers[number] for number in orders},
    )


def _known_orders(numbers: Iterable[str], store_id: int) -> dict[str, tuple[int, bytes]]:
    """Id and digest of the orders that exist; locked in the order of their ids."""
    rows = fetch(
        "SELECT number, id, digest FROM orders_order WHERE store_id = %s AND number = ANY(%s) ORDER BY id FOR UPDATE",
        [store_id, list(numbers)],
    )
    return {number: (row, bytes(digest)) for number, row, digest in rows}


def _context(
    fresh: Sequence[OrderInput],
    changed: Sequence[OrderInput],
    refunds: Sequence[RefundInput],
    log: LogTransaction,
    store_id: int,
    at: datetime,
    is_history: bool,
) -> Context:
    """Everything that the rows to write point to: profiles, their customers, variants."""
    said: list[OrderInput | RefundInput] = [*fresh, *changed, *refunds]
    people = list({id(s.person): s.person for s in said if s.person}.values())
    profiles = _profiles(people, log, is_history)
    lines = {id(line): line for s in said for line in s.lines}
    items = {SoldItem(line.product_key, line.sku, line.title, line.is_service) for line in lines.values()}
    since = min((o.placed_at for o in fresh), default=at)
    variants = ensure_variants(items, log, store_id=store_id, at=since, is_history=is_history)
    return Context(log, store_id, at, is_history, profiles, customers_of(profiles.values()), variants)


def _profiles(people: Sequence[PersonInput], log: LogTransaction, is_history: bool) -> dict[int, int]:
    """Profile of each person, by the person's ``id()``: equal people need not be hashable."""
    return dict(zip(map(id, people), ensure_profiles(people, log, is_history=is_history), strict=True))
