"""Which carts are one, which became orders, and that the order of arrival decides nothing."""

import itertools
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from regulars.foundation.sealing import unseal
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.vault import keys
from regulars.record.carts.inputs import CartInput, CartLineInput
from regulars.record.carts.links import link_cell
from regulars.record.carts.models import Cart, CartKey
from regulars.record.carts.operations import abandon_silent_carts, apply_carts
from regulars.record.carts.readers import SETTLING
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations import ensure_profiles
from regulars.record.events.log import transaction
from regulars.record.events.models import Event
from regulars.record.events.readers import catch_up
from regulars.record.orders.inputs import LineInput, OrderInput
from regulars.record.orders.models import OrderStatus
from regulars.record.orders.operations import apply_orders

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SILENCE = 30 * MINUTE
ANN = IdentityInput(IdentityKind.EMAIL, "ann@shop.example")
DEVICE = IdentityInput(IdentityKind.ANONYMOUS_ID, "device-1")


@pytest.fixture
def store() -> Store:
    return new_store("uk")


def new_store(code: str) -> Store:
    brand = Brand.objects.create(name=code, from_name="b", from_address="b@shop.example")
    return Store.objects.create(code=code, name=code, brand=brand, currency="GBP")


def cart(minute: int, *skus: str, key: str = "c1", who: IdentityInput | None = ANN, **more: object) -> CartInput:
    at = AT + minute * MINUTE
    lines = tuple(CartLineInput(sku, sku.title(), 1, Decimal(10), sku.lower()) for sku in skus)
    return CartInput(key, at, "GBP", lines, PersonInput((who,), at) if who else None, **more)  # type: ignore[arg-type]


def order(minute: int, *skus: str, number: str = "1", who: IdentityInput = ANN, **more: object) -> OrderInput:
    at = AT + minute * MINUTE
    lines = tuple(LineInput(sku, sku.title(), 1, Decimal(10), sku.lower()) for sku in skus)
    return OrderInput(number, at, "GBP", lines, PersonInput((who,), at), **more)  # type: ignore[arg-type]


def tell(store: Store, *said: CartInput | OrderInput | int) -> None:
    """What arrives, one after the other; a number is a minute at which the loop looks."""
    for one in said:
        with transaction("test", "t") as log:
            match one:
                case CartInput():
                    apply_carts([one], log, store_id=store.pk)
                case OrderInput():
                    apply_orders([one], log, store_id=store.pk, at=one.placed_at)
                case _:
                    abandon_silent_carts(log, AT + one * MINUTE, SILENCE)
        catch_up([SETTLING], AT + 300 * MINUTE)


def states(store: Store) -> list[tuple[str, str, int, str]]:
    rows = Cart.objects.filter(store=store).exclude(state="merged").order_by("opened_at", "pk")
    return [(c.key, c.state, c.value_minor, c.order.number if c.order else "") for c in rows.select_related("order")]


def kinds() -> list[str]:
    rows = Event.objects.filter(kind__startswith="cart.").order_by("position")
    return [kind.removeprefix("cart.") for kind in rows.values_list("kind", flat=True)]


def test_an_order_that_names_the_cart_ends_it_whoever_placed_it(store: Store) -> None:
    other = IdentityInput(IdentityKind.EMAIL, "bob@shop.example")
    tell(
        store,
        cart(0, "MUG", who=None, other_keys=("checkout-1",)),
        order(5, "POT", who=other, cart_keys=("checkout-1",)),
    )
    assert states(store) == [("c1", "ordered", 1000, "1")]
    assert kinds() == ["opened", "ordered"]


def test_an_order_that_was_placed_before_the_cart_was_touched_ends_it(store: Store) -> None:
    """Clocks differ: a shop may date its order before the tracker's last word of the cart."""
    tell(store, cart(5, "MUG"), order(2, "MUG", cart_keys=("c1",)))
    assert states(store) == [("c1", "ordered", 1000, "1")]


def test_the_same_person_ends_it_with_some_of_the_same_things_only(store: Store) -> None:
    tell(store, cart(0, "MUG", "CUP"), order(5, "POT", number="1"), order(6, "CUP", "TEA", number="2"))
    assert states(store) == [("c1", "ordered", 2000, "2")]
    tell(store, cart(20, "HAT", key="c2"), order(12 * 1440, "HAT", number="3"))  # long after
    assert states(store)[1] == ("c2", "open", 1000, "")


def test_a_test_order_and_one_in_another_store_end_nothing(store: Store) -> None:
    tell(store, cart(0, "MUG"), order(5, "MUG", cart_keys=("c1",), is_test=True))
    tell(new_store("de"), order(6, "MUG", cart_keys=("c1",)))
    assert states(store) == [("c1", "open", 1000, "")]


def test_what_was_left_and_comes_back_by_its_link_is_won_back(store: Store) -> None:
    tell(store, cart(0, "MUG"), 30, cart(50, "MUG", is_checkout=True), order(55, "MUG"))
    assert states(store) == [("c1", "recovered", 1000, "1")]
    assert kinds() == ["opened", "abandoned", "checkout_started", "recovered"]
    assert Event.objects.get(kind="cart.abandoned").occurred_at == AT + SILENCE


def test_an_order_before_the_silence_ended_that_is_told_late_was_no_recovery(store: Store) -> None:
    tell(store, cart(0, "MUG"), 31)
    assert states(store) == [("c1", "abandoned", 1000, "")]
    tell(store, order(20, "MUG"))
    assert states(store) == [("c1", "ordered", 1000, "1")]
    assert kinds() == ["opened", "abandoned", "ordered"]


def test_what_is_long_past_starts_nothing(store: Store) -> None:
    tell(store, cart(0, "MUG"), 30 + 1441)
    with transaction("test", "t") as log:
        apply_carts([cart(10, "MUG", key="c2", who=None)], log, store_id=store.pk, is_history=True)
    tell(store, 41)
    abandoned = Event.objects.filter(kind="cart.abandoned").order_by("position")
    assert list(abandoned.values_list("is_history", flat=True)) == [True, True]


def test_emptied_by_the_shopper_is_never_abandoned_and_by_ordering_keeps_what_was_bought(store: Store) -> None:
    tell(store, cart(0, "MUG"), cart(1), 100)
    assert states(store) == [("c1", "open", 0, "")]
    tell(store, cart(119, "MUG"), order(120, "MUG"))
    assert states(store) == [("c1", "ordered", 1000, "1")]  # with nothing in it, nothing was left
    tell(store, cart(0, "POT", key="c2"), order(1, "POT", number="2"), cart(2, key="c2"))
    assert states(store)[1] == ("c2", "ordered", 1000, "2")


def test_filled_again_long_after_it_was_ordered_elsewhere_it_is_open(store: Store) -> None:
    tell(store, cart(0, "MUG"), order(5, "MUG"), cart(120, "MUG", "POT"))
    assert states(store) == [("c1", "open", 2000, "")]


def test_a_trackers_and_a_platforms_view_are_one_as_soon_as_they_agree(store: Store) -> None:
    tell(store, cart(0, "MUG", key="visit-1"), cart(1, "MUG", "POT", key="token"), cart(2, "MUG", "POT", key="visit-1"))
    assert states(store) == [("token", "open", 2000, "")]
    assert set(CartKey.objects.filter(cart__key="token").values_list("key", flat=True)) == {"visit-1", "token"}
    tell(store, cart(3, "TEA", key="visit-1"), 60)
    assert states(store) == [("token", "abandoned", 1000, "")]
    assert kinds().count("abandoned") == 1


def test_the_cart_of_before_signing_in_goes_into_the_one_of_after(store: Store) -> None:
    link = {"recovery_url": "https://shop.example/r/1"}
    tell(store, cart(0, "MUG", key="anonymous", who=DEVICE, **link), cart(1, "MUG", "POT", key="account"))
    assert len(states(store)) == 2
    with transaction("test", "t") as log:
        ensure_profiles([PersonInput((ANN, DEVICE), AT + 2 * MINUTE)], log)
    catch_up([SETTLING], AT + 3 * MINUTE)
    assert states(store) == [("account", "open", 2000, "")]
    one = Cart.objects.get(key="account")
    plain = keys.find_keys([one.profile_id or 0])[one.profile_id or 0]
    assert unseal(plain, bytes(one.recovery_url or b""), link_cell(one.pk)) == b"https://shop.example/r/1"


def test_two_known_carts_that_a_platform_calls_one_are_one(store: Store) -> None:
    tell(store, cart(0, "MUG", key="k1", who=None), cart(1, "POT", key="k2", who=None))
    tell(store, cart(2, "MUG", "POT", key="k1", other_keys=("k2",), is_checkout=True))
    assert states(store) == [("k2", "checkout", 2000, "")]
    tell(store, cart(3, "TEA", key="k2"))
    assert states(store) == [("k2", "checkout", 1000, "")]


def test_a_cart_that_the_platform_closed_is_not_abandoned(store: Store) -> None:
    tell(store, cart(0, "MUG"), cart(5, is_closed=True), 60)
    assert states(store) == [("c1", "closed", 0, "")]
    tell(store, order(70, "MUG", cart_keys=("c1",)))
    assert states(store) == [("c1", "recovered", 1000, "1")]


STORIES: list[tuple[Sequence[CartInput | OrderInput], tuple[str, int, str]]] = [
    ([cart(0, "MUG"), cart(10, "MUG", "POT", is_checkout=True), order(20, "POT", "MUG")], ("ordered", 2000, "1")),
    ([cart(0, "MUG"), cart(45, "MUG", "POT"), cart(50), order(50, "MUG", "POT")], ("recovered", 2000, "1")),
    (
        [cart(0, "MUG"), cart(25, "MUG"), order(40, "MUG", cart_keys=("c1",)), order(30, "MUG", number="2")],
        ("ordered", 1000, "1"),
    ),
    ([cart(0, "MUG"), cart(5, "POT"), order(9, "TEA")], ("abandoned", 1000, "")),
    ([cart(0, "MUG"), cart(1), cart(60, "MUG"), order(61, "MUG")], ("ordered", 1000, "1")),
    ([cart(0, "MUG"), order(5, "MUG"), cart(120, "POT", "MUG"), cart(119, "MUG")], ("abandoned", 2000, "")),
]


@pytest.mark.parametrize(("story", "end"), STORIES)
def test_shuffled_and_repeated_arrival_ends_in_the_same_cart(
    story: Sequence[CartInput | OrderInput], end: tuple[str, int, str]
) -> None:
    """The loop looks at any moment between; at the end it looks once more."""
    chance = random.Random(11)
    orders = list(itertools.permutations(story))
    for number, arrival in enumerate(chance.sample(orders, min(len(orders), 6))):
        store = new_store(f"s{number}")
        with_looks = [step for one in arrival for step in (one, chance.choice((one, 31, 90, 130)))]
        tell(store, *with_looks, 200)
        assert [state[1:] for state in states(store)] == [end], arrival


def test_an_order_that_names_one_cart_ends_no_other_also_where_that_cart_is_told_later(store: Store) -> None:
    tell(store, cart(0, "MUG", key="c1"), order(5, "MUG", cart_keys=("c2",)))
    assert states(store) == [("c1", "ordered", 1000, "1")]  # nobody knows that cart: the person's own is meant
    tell(store, cart(3, "MUG", "POT", "TEA", key="c2", who=None))
    assert states(store) == [("c1", "open", 1000, ""), ("c2", "ordered", 3000, "1")]


def test_an_order_that_is_called_off_recovers_nothing_and_the_cart_begins_nothing_anew(store: Store) -> None:
    tell(store, cart(0, "MUG"), 31, order(40, "MUG"))
    assert states(store) == [("c1", "recovered", 1000, "1")]
    tell(store, order(40, "MUG", status=OrderStatus.CANCELLED, cancelled_at=AT + 50 * MINUTE), 100)
    assert states(store) == [("c1", "abandoned", 1000, "")]
    again = Event.objects.filter(kind="cart.abandoned").order_by("position")
    assert list(again.values_list("is_history", flat=True)) == [False, True]


def test_two_carts_of_one_person_stay_two_on_another_hour(store: Store) -> None:
    tell(store, cart(0, "MUG", key="c1"), cart(61, "MUG", "POT", key="c2"))
    assert [key for key, *_ in states(store)] == ["c1", "c2"]
    tell(store, cart(62, "TEA", key="c3"))
    assert [key for key, *_ in states(store)] == ["c1", "c2", "c3"]


def claim(minute: int, *skus: str) -> CartInput:
    return cart(minute, *skus, who=DEVICE, is_claimed=True)


BOTH: list[tuple[Sequence[CartInput | OrderInput], tuple[str, int, str]]] = [
    (  # the pixel's words of a cart that the platform states count nothing, whichever comes first
        [
            claim(0, "MUG"),
            cart(5, "MUG", is_checkout=True, other_keys=("checkout-1",)),
            claim(20, "MUG", "POT"),
            order(40, "MUG", cart_keys=("checkout-1",), external_id="7", stated_at=AT + 40 * MINUTE),
        ],
        ("recovered", 1000, "1"),
    ),
    (
        [
            claim(0, "MUG"),
            cart(5, "MUG", is_checkout=True, other_keys=("checkout-1",)),
            order(20, "MUG", number="pixel", cart_keys=("c1",), is_claimed=True),
            order(20, "MUG", cart_keys=("checkout-1",), external_id="7", stated_at=AT + 21 * MINUTE, number="pixel"),
        ],
        ("ordered", 1000, "pixel"),
    ),
]


@pytest.mark.parametrize(("story", "end"), BOTH)
def test_a_pixel_and_a_platform_at_once_end_in_one_cart_whatever_comes_first(
    story: Sequence[CartInput | OrderInput], end: tuple[str, int, str]
) -> None:
    chance = random.Random(5)
    for number, arrival in enumerate(chance.sample(list(itertools.permutations(story)), 8)):
        store = new_store(f"s{number}")
        tell(store, *[step for one in arrival for step in (one, chance.choice((one, 36, 90)))], 200)
        assert [state[1:] for state in states(store)] == [end], arrival


def test_a_person_who_becomes_known_in_between_changes_no_end() -> None:
    """Carts of a device, the order of its person, and the merge of the two, in every order."""
    steps = ("cart", "later", "order", "merge")
    for number, arrival in enumerate(itertools.permutations(steps)):
        store = new_store(f"m{number}")
        device = IdentityInput(IdentityKind.ANONYMOUS_ID, f"device-{number}")
        ann = IdentityInput(IdentityKind.EMAIL, f"ann{number}@shop.example")
        said: dict[str, CartInput | OrderInput] = {
            "cart": cart(0, "MUG", who=device),
            "later": cart(10, "MUG", "POT", who=device),
            "order": order(50, "POT", who=ann),
        }
        for step in arrival:
            if step == "merge":
                with transaction("test", "t") as log:
                    ensure_profiles([PersonInput((ann, device), AT)], log)
                catch_up([SETTLING], AT + 300 * MINUTE)
            else:
                tell(store, said[step])
        tell(store, 200)
        assert [state[1:] for state in states(store)] == [("recovered", 2000, "1")], arrival
