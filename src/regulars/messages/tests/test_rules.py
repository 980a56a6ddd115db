"""May this message leave now: the table of reasons, and the caps as a property."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.messages.rules import DAY, WEEK, Candidate, Caps, Fate, Switch, back_off, decide, next_free
from regulars.record.consent.rules import Verdict

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
YES, NO = Verdict(True, "consent", "Said yes"), Verdict(False, "denied", "Said no")
CAPS = Caps(1, 3)


def switch(**changes: object) -> Switch:
    usual = {
        "is_on": True,
        "enabled_at": AT - 10 * DAY,
        "cool_off": DAY,
        "recipients": (),
        "is_demo": False,
        "mail_host": "mail.shop.com",
    }
    return Switch(**(usual | changes))  # type: ignore[arg-type]


def candidate(**changes: object) -> Candidate:
    usual = {"address": "ada@shop.com", "is_marketing": True, "expires_at": AT + 3 * DAY, "verdict": YES, "recent": ()}
    return Candidate(**(usual | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "at_switch", "fate", "code"),
    [
        (candidate(), switch(), Fate.SEND, "consent"),
        (candidate(verdict=NO), switch(), Fate.SKIP, "denied"),
        (candidate(verdict=NO), switch(is_on=False), Fate.SKIP, "denied"),
        (candidate(address=""), switch(), Fate.SKIP, "no-address"),
        (candidate(expires_at=AT), switch(), Fate.SKIP, "expired"),
        (candidate(expires_at=AT, off="Win back"), switch(), Fate.SKIP, "expired"),
        (candidate(off="Win back"), switch(), Fate.HOLD, "workflow-off"),
        (candidate(off="Win back", is_marketing=False, recent=(AT,)), switch(), Fate.HOLD, "workflow-off"),
        (candidate(off="Win back"), switch(is_on=False), Fate.HOLD, "sending-off"),
        (candidate(), switch(is_on=False), Fate.HOLD, "sending-off"),
        (candidate(), switch(enabled_at=None), Fate.HOLD, "sending-off"),
        (candidate(), switch(enabled_at=AT - timedelta(hours=23)), Fate.HOLD, "cool-off"),
        (candidate(), switch(enabled_at=AT - DAY), Fate.SEND, "consent"),
        (candidate(), switch(recipients=("*@other.com",)), Fate.SKIP, "not-allowed"),
        (candidate(), switch(recipients=("*@other.com", "ADA@shop.com")), Fate.SEND, "consent"),
        (candidate(), switch(is_demo=True), Fate.HOLD, "demo"),
        (candidate(), switch(is_demo=True, mail_host="127.0.0.1"), Fate.SKIP, "not-allowed"),
        (candidate(address="a@shop.example"), switch(is_demo=True, mail_host="127.0.0.1"), Fate.SEND, "consent"),
        (candidate(recent=(AT - timedelta(hours=1),)), switch(), Fate.DEFER, "cap"),
        (candidate(recent=(AT - timedelta(hours=1),), is_marketing=False), switch(), Fate.SEND, "consent"),
        (candidate(recent=(AT,) * 3, expires_at=AT + DAY), switch(), Fate.SKIP, "cap"),
    ],
)
def test_the_first_reason_that_holds_decides(given: Candidate, at_switch: Switch, fate: Fate, code: str) -> None:
    decision = decide(given, at_switch, CAPS, AT)
    assert (decision.fate, decision.code) == (fate, code)
    assert decision.sentence
    assert (decision.until is not None) == (fate is Fate.DEFER)


@given(st.lists(st.integers(0, 8 * 24 * 60)), st.integers(0, 4), st.integers(0, 8))
def test_the_caps_let_through_as_soon_as_they_hold_and_not_before(
    minutes: list[int], per_day: int, per_week: int
) -> None:
    recent, caps = [AT - timedelta(minutes=m) for m in minutes], Caps(per_day, per_week)

    def holds(moment: datetime) -> bool:
        return all(
            not limit or sum(moment - window < r <= moment for r in recent) < limit
            for limit, window in ((per_day, DAY), (per_week, WEEK))
        )

    free = next_free(recent, caps, AT)
    assert (free is None) == holds(AT)
    if free is not None:
        assert holds(free)
        assert not holds(free - timedelta(seconds=1))


def test_the_pause_grows_and_has_an_end() -> None:
    assert [back_off(n) for n in (1, 2, 3, 30)] == [
        timedelta(minutes=1),
        timedelta(minutes=4),
        timedelta(minutes=16),
        timedelta(hours=6),
    ]
