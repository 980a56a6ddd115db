"""The chain shows every change that is made behind its back."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.audit.operations import SYSTEM, PersonalDetail, chain_mac, record
from regulars.foundation.audit.queries import anchor_path, verify_chain, write_anchor
from regulars.foundation.audit.rules import Link

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_anchors() -> Iterator[None]:
    anchor_path().unlink(missing_ok=True)
    yield
    anchor_path().unlink(missing_ok=True)


@pytest.fixture
def chain(db: None) -> list[AuditEntry]:
    return [record("test.done", SYSTEM, f"thing:{n}", {"n": n, "list": ["a", None, True]}, at=AT) for n in range(5)]


def tamper(statement: str) -> None:
    """As somebody who owns the database would."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER ALL")
        cursor.execute(statement)
        cursor.execute("ALTER TABLE audit_auditentry ENABLE TRIGGER ALL")


def test_a_whole_chain_holds(chain: list[AuditEntry]) -> None:
    assert [entry.sequence for entry in chain] == [1, 2, 3, 4, 5]
    assert (verify_chain().count, verify_chain().bad_sequence) == (5, 0)


@pytest.mark.parametrize("statement", ["UPDATE audit_auditentry SET action = 'x'", "DELETE FROM audit_auditentry"])
def test_the_database_refuses_changes(chain: list[AuditEntry], statement: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditEntry.objects.filter(action="test.done").count() == 5


@pytest.mark.parametrize(
    ("statement", "bad"),
    [
        ("UPDATE audit_auditentry SET actor = 'staff:1' WHERE sequence = 2", 2),
        ("UPDATE audit_auditentry SET at = at + interval '1 microsecond' WHERE sequence = 3", 3),
        ("DELETE FROM audit_auditentry WHERE sequence = 4", 4),
        ("DELETE FROM audit_auditentry WHERE sequence = 1", 1),
        ("UPDATE audit_auditentry a SET details = b.details, subject = b.subject FROM audit_auditentry b"
         " WHERE (a.sequence, b.sequence) IN ((2, 3), (3, 2))", 2),
        ("INSERT INTO audit_auditentry SELECT 6, at, action, actor, subject, details, mac FROM audit_auditentry WHERE sequence = 5", 6),
    ],
)  # fmt: skip
def test_the_first_bad_entry_is_named(chain: list[AuditEntry], statement: str, bad: int) -> None:
    tamper(statement)
    assert verify_chain().bad_sequence == bad
    with pytest.raises(CommandError, match=f"Entry {bad} of the audit chain"):
        call_command("audit", "verify")


def _cut() -> None:
    tamper("DELETE FROM audit_auditentry WHERE sequence > 3")


def _rebuild() -> None:
    """By somebody who even has the key."""
    tamper("DELETE FROM audit_auditentry WHERE sequence > 0")
    previous = b""
    for n in range(1, 6):
        link = Link(n, AT, "test.done", "system", "thing:9", {})
        previous = chain_mac(previous, link)
        AuditEntry.objects.create(
            sequence=n, at=AT, action=link.action, actor=link.actor, subject=link.subject, details={}, mac=previous
        )


@pytest.mark.parametrize(("act", "bad"), [(_cut, 4), (_rebuild, 5)])
def test_a_cut_tail_and_a_rebuilt_chain_are_found_by_the_anchor(
    chain: list[AuditEntry], act: Callable[[], None], bad: int
) -> None:
    assert write_anchor(AT) is not None
    assert write_anchor(AT) is None
    act()
    assert verify_chain().bad_sequence == bad


@pytest.mark.parametrize(
    "details", [{"mail": "ann@shop.example"}, {"name": "Ann\n"}, {"amount": 1.5}, {"x": {"y": "é" * 121}}]
)
def test_personal_details_are_refused(db: None, details: dict[str, object]) -> None:
    with pytest.raises(PersonalDetail):
        record("test.done", SYSTEM, "", details, at=AT)
    assert not AuditEntry.objects.exists()


def test_an_entry_goes_with_its_transaction(db: None) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record("test.done", SYSTEM, at=AT)
        raise ZeroDivisionError
    assert not AuditEntry.objects.exists()
