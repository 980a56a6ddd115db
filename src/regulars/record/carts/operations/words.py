"""What the inputs of one call say of each cart, oldest first. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from regulars.foundation.money import line_total
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.carts.models import Cart
from regulars.record.customers.inputs import PersonInput


@dataclass(frozen=True)
class Words:
    """Everything that is said of one cart and counts, as one state.

    ``is_claimed``: trackers in browsers alone speak of it. ``is_first_word``: so far they did, and now somebody states it whose word
    stands; what was claimed is forgotten. ``is_silent``: nothing that is said counts; a visitor may still be whose it is.
    """

    key: str
    moments: tuple[datetime, ...]
    empties: tuple[datetime, ...]  # those of them by which nothing lay in it
    currency: str
    lines: tuple[CartLineInput, ...]  # in the newest state
    filled_at: datetime | None  # when something was said to lie in it
    filled: tuple[CartLineInput, ...]
    whose: PersonInput | int | None
    is_checkout: bool
    is_closed: bool
    recovery_url: str
    is_claimed: bool
    is_first_word: bool = False
    is_silent: bool = False

    @property
    def at(self) -> datetime:
        """Of the newest state."""
        return self.moments[-1]

    @property
    def value_minor(self) -> int:
        return worth(self.lines, self.currency)

    @property
    def filled_minor(self) -> int:
        return worth(self.filled, self.currency)


def worth(lines: Iterable[CartLineInput], currency: str) -> int:
    return sum(line_total(line.quantity, line.unit_price, currency) for line in lines)


def words_of(inputs: Sequence[CartInput], cart: Cart | None) -> Words:
    """``inputs`` are about one cart, oldest first; ``cart`` is it as it is known."""
    stated = [one for one in inputs if not one.is_claimed]
    is_claimed = not stated and (cart is None or cart.is_claimed)
    said = list(inputs) if is_claimed else stated
    is_silent = not said
    said = said or list(inputs)
    filled = next((one for one in reversed(said) if one.lines), None)
    is_nobodys = cart is None or cart.profile_id is None
    people = [one.whose for one in (inputs if is_nobodys and not _people(said) else said) if one.whose]
    newest = said[-1]
    touches = {at: is_empty for one in said for at, is_empty in (*one.earlier, (one.occurred_at, _is_empty(one)))}
    return Words(
        key=inputs[0].key,
        moments=tuple(sorted(touches)),
        empties=tuple(sorted(at for at, is_empty in touches.items() if is_empty)),
        currency=newest.currency,
        lines=newest.lines,
        filled_at=filled.occurred_at if filled else None,
        filled=filled.lines if filled else (),
        whose=people[-1] if people else None,
        is_checkout=any(one.is_checkout for one in said),
        is_closed=newest.is_closed,
        recovery_url=next((one.recovery_url for one in reversed(said) if one.recovery_url), ""),
        is_claimed=is_claimed,
        is_first_word=bool(stated) and cart is not None and cart.is_claimed,
        is_silent=is_silent,
    )


def _is_empty(one: CartInput) -> bool:
    """Of one that is gone nobody says that it was emptied before."""
    return not one.lines and not one.is_closed


def _people(said: Iterable[CartInput]) -> bool:
    return any(one.whose for one in said)


def by_cart(inputs: Sequence[CartInput], there: Mapping[str, int]) -> tuple[dict[int, list[CartInput]], dict[str, int]]:
    """The inputs about each cart by its id (below zero: a new one), oldest first, and the cart of every key that they name."""
    names = dict(there)
    groups: dict[int, list[CartInput]] = {}
    for number, one in enumerate(inputs, start=1):
        own = names_in(one)
        slots = sorted({names[key] for key in own if key in names}, reverse=True) or [-number]
        for other in slots[1:]:  # so far they looked like two new carts
            groups.setdefault(slots[0], []).extend(groups.pop(other, []))
            names |= {key: slots[0] for key, slot in names.items() if slot == other}
        names |= dict.fromkeys(own, slots[0])
        groups.setdefault(slots[0], []).append(one)
    told = {slot: sorted(some, key=lambda one: one.occurred_at) for slot, some in groups.items()}
    return told, {key: names[key] for one in inputs for key in names_in(one)}


def names_in(one: CartInput) -> tuple[str, ...]:
    """A claim names one cart by one name: that two are one is not for a browser to say."""
    return (one.key,) if one.is_claimed else (one.key, *one.other_keys)
