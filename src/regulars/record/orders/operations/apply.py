"""The only writer of orders: set-wise, idempotent by what an order is called, whatever the source."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from regulars.record.catalog.operations import SoldItem, ensure_variants
from regulars.record.catalog.operations.turns import take_turns
from regulars.record.customers.identifiers import identifies
from regulars.record.customers.inputs import PersonInput
from regulars.record.customers.operations import ensure_profiles, resolve
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import LogTransaction
from regulars.record.orders import rules
from regulars.record.orders.inputs import AdjustmentInput, OrderInput, RefundInput
from regulars.record.orders.operations import adjustments as ledger
from regulars.record.orders.operations import changes
from regulars.record.orders.operations import refunds as given_back
from regulars.record.orders.operations.buyers import tell_buyers
from regulars.record.orders.operations.context import Context
from regulars.record.orders.operations.figures import refresh_figures
from regulars.record.orders.operations.finding import adopt_refunds, find_orders
from regulars.record.orders.operations.known import Known
from regulars.record.orders.operations.removing import drop_doubles
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
    known: Known | None = None,
) -> Applied:
    """Makes the record say what the inputs say; which order each means, and whether it is news, stands at ``OrderInput``.

    ``at`` is when we learnt it: changes of known orders happen then. ``known`` is kept by a caller who applies batch after batch.
    ``refunds`` are those that come on their own, beside the orders' own. An input whose digest is known changes nothing, not even its
    person. What the catalog does not know is added to it. Number of statements: fixed, whatever the number of inputs. A person
    without any identity that means somebody is nobody: a guest. Events: order.placed, order.updated, order.paid,
    order.fulfilled, order.cancelled, order.refunded, and those of the customers and products that are new.
    """
    take_turns(store_id)
    found = find_orders(inputs, store_id)
    orders, there = found.orders, found.there
    digests = {number: rules.digest(order) for number, order in orders.items()}
    fresh, changed = found.fresh(), found.changed(digests)
    own_refunds = _own_refunds([*fresh, *changed])
    gone = Context(log, store_id, at, is_history, gone=found.gone)
    context = _context([*fresh, *changed, *own_refunds, *refunds], gone, known or Known())
    written = insert_orders(fresh, digests, context) + changes.update_orders(changed, there, digests, context)
    numbers = {number: row.id for number, row in there.items()} | written.order_ids
    adopt_refunds(orders, written.order_ids, store_id)
    back = given_back.apply_refunds([*own_refunds, *refunds], numbers, context)
    back += given_back.take_back(changed, numbers, context)
    booked = ledger.apply_adjustments(adjustments, context)
    touched = written.profiles | back.profiles | drop_doubles(found.doubles, log, at)
    resolve(tell_buyers(touched, log.batch_id), log, at)
    refresh_figures(customers_of(touched).values())
    return Applied(
        created=len(fresh),
        updated=written.moved,
        unchanged=len(orders) - len(fresh) - written.moved,
        refunds_created=back.created,
        refunds_updated=back.updated,
        refunds_unchanged=back.unchanged,
        adjustments_created=booked,
        adjustments_unchanged=len(adjustments) - booked,
        lines=written.lines,
        order_ids={name: numbers[number] for name, number in found.names.items()},
    )


def _own_refunds(orders: Iterable[OrderInput]) -> list[RefundInput]:
    """What orders say of their refunds; stated when the order was, where the refund itself does not say."""
    return [
        replace(
            refund,
            order_number=order.number,
            person=refund.person or order.person,
            stated_at=refund.stated_at or order.stated_at,
            is_claimed=order.is_claimed,
        )
        for order in orders
        for refund in order.refunds
    ]


def _context(said: Sequence[OrderInput | RefundInput], context: Context, known: Known) -> Context:
    """The context with everything that the rows to write point to: profiles, their customers, variants."""
    buying = {id(s.person) for s in said if isinstance(s, OrderInput)}
    profiles = _profiles([s.person for s in said if s.person], buying, context, known)
    names = known.variants.keys()
    unknown = [
        SoldItem(line.product_key, line.sku, line.title, line.is_service, line.variant_key)
        for s in said
        for line in s.lines
        if line.product_name not in names
    ]
    since = min((s.placed_at if isinstance(s, OrderInput) else s.occurred_at for s in said), default=context.at)
    found = ensure_variants(unknown, context.log, store_id=context.store_id, at=since, is_history=context.is_history)
    known.remember_variants(found)
    return replace(context, profiles=profiles, owners=customers_of(profiles.values()), variants=known.variants)


def _profiles(people: Sequence[PersonInput], buying: Collection[int], context: Context, known: Known) -> dict[int, int]:
    """Profile of each person, by the person's ``id()``: equal people need not be hashable."""
    found: dict[int, int] = {}
    unknown = []
    for person in {id(person): person for person in people if identifies(person)}.values():
        profile = known.find_profile(person)
        if profile is None:
            unknown.append(person)
        else:
            found[id(person)] = profile
    made = ensure_profiles(unknown, context.log, is_history=context.is_history, buying=buying)
    for person, profile in zip(unknown, made, strict=True):
        found[id(person)] = profile
        known.remember_profile(person, profile)
    return found
