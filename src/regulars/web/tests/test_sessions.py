"""Sessions through the door: they end by time, and when what somebody may do changes."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from regulars.foundation.access import middleware
from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.operations import change_role, create_staff, switch_staff
from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.audit.operations import SYSTEM

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
PAGE = "/work"


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(middleware, "clock", clock)
    return clock


@pytest.fixture
def ann(db: None) -> tuple[StaffMember, str]:
    create_staff("owner@shop.example", "owner", SYSTEM, AT)
    return create_staff("ann@shop.example", "manager", SYSTEM, AT)


def enter(ann: tuple[StaffMember, str]) -> Client:
    client = Client()
    answer = client.post("/sign-in", {"email": "ann@shop.example", "password": ann[1]})
    assert answer.status_code == 302
    return client


def is_in(client: Client, **headers: str) -> bool:
    return (
        client.get(PAGE, headers={name.replace("_", "-"): value for name, value in headers.items()}).status_code == 200
    )


def test_it_ends_after_half_an_hour_without_a_sign_of_life(ann: tuple[StaffMember, str], clock: Clock) -> None:
    client = enter(ann)
    for _ in range(3):
        clock.at += timedelta(minutes=29)
        assert is_in(client)
    clock.at += timedelta(minutes=31)
    assert not is_in(client)


def test_a_poll_is_no_sign_of_life(ann: tuple[StaffMember, str], clock: Clock) -> None:
    client = enter(ann)
    for minutes in (20, 9):
        clock.at += timedelta(minutes=minutes)
        assert is_in(client, X_Poll="1")
    clock.at += timedelta(minutes=2)
    assert not is_in(client, X_Poll="1")


def test_it_ends_after_twelve_hours_whatever_happens(ann: tuple[StaffMember, str], clock: Clock) -> None:
    client = enter(ann)
    for _ in range(35):
        clock.at += timedelta(minutes=20)
        assert is_in(client)
    clock.at += timedelta(minutes=21)
    assert not is_in(client)


@pytest.mark.parametrize("change", ["role", "off"])
def test_all_sessions_die_with_a_change(ann: tuple[StaffMember, str], change: str) -> None:
    one, two = enter(ann), enter(ann)
    assert is_in(one)
    if change == "role":
        change_role(ann[0].pk, "agent", SYSTEM, AT)
    else:
        switch_staff(ann[0].pk, False, SYSTEM, AT)
    assert not is_in(one)
    assert not is_in(two)


def test_a_wrong_password_is_written_down_without_saying_whose(ann: tuple[StaffMember, str]) -> None:
    for email in ("ann@shop.example", "nobody@shop.example"):
        answer = Client().post("/sign-in", {"email": email, "password": "wrong"})
        assert answer.status_code in {200, 400, 401, 403}
    entries = AuditEntry.objects.filter(action="sign-in.refused")
    assert [(e.actor, e.subject, e.details) for e in entries] == [("system", "", {})] * 2
