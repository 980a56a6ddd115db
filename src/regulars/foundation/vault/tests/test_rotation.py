"""A new master key opens everything that the old one sealed, and erased stays erased."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.core.management import call_command

from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.sealing import CannotOpen
from regulars.foundation.vault import keys
from regulars.foundation.vault.models import SubjectKey

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _same_ring_afterwards() -> Iterator[None]:
    keys.forget_cached_ring()  # a test before may have had a data folder of its own
    keys.key_ring()
    path = settings.HOME / "keys" / "master"
    before = path.read_text()
    yield
    path.write_text(before)
    keys.forget_cached_ring()


@pytest.mark.django_db
def test_rotation_wraps_everything_again_and_touches_nothing_else() -> None:
    old = keys.key_ring()
    made = keys.create_keys(range(1001, 1006))
    keys.destroy_keys([1003], AT)
    token = old.token("search", "ann")
    call_command("keys", "rotate")
    fresh = keys.key_ring()
    assert (len(fresh.keys), fresh.keys[1:], fresh.current_id) == (len(old.keys) + 1, old.keys, f"k{len(old.keys) + 1}")
    assert set(SubjectKey.objects.filter(wrapped__isnull=False).values_list("master_id", flat=True)) == {
        fresh.current_id
    }
    assert keys.find_keys(made) == {subject: key for subject, key in made.items() if subject != 1003}
    assert fresh.token("search", "ann") == token
    assert AuditEntry.objects.latest("sequence").action == "keys.rotated"
    assert (settings.HOME / "keys" / "master").stat().st_mode & 0o077 == 0


@pytest.mark.django_db
def test_a_process_that_runs_on_learns_the_new_key() -> None:
    made = keys.create_keys([1001])
    stale = keys.key_ring()
    call_command("keys", "rotate")
    row = SubjectKey.objects.get(pk=1001)
    with pytest.raises(CannotOpen):
        stale.unwrap(row.master_id, bytes(row.wrapped or b""), 1001)
    path = settings.HOME / "keys" / "master"
    after = path.read_text()
    path.write_text(after.partition(",")[2])
    keys.forget_cached_ring()
    assert keys.key_ring() == stale  # this process has read the ring before the rotation
    path.write_text(after)
    assert keys.find_keys([1001]) == made
