"""Parked events in the browser: seen, filtered, opened, replayed one by one or together, written down."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from django.test import Client

from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.rules import Role
from regulars.foundation.audit.models import AuditEntry
from regulars.record.customers.models import Profile
from regulars.record.customers.queries import customer_of
from regulars.record.events.log import Entry, transaction
from regulars.record.events.models import ParkedEvent
from regulars.record.events.readers import PATIENCE, READERS, Reader, Recorded, catch_up
from regulars.web.tests.shop import make_staff
from regulars.web.tests.test_bulk import add

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
ADDRESS = "/settings/parked"


class Poisoned:
    """A reader of 'test.happened' that fails until it is mended."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.is_mended = False

    def handle(self, events: Sequence[Recorded], at: datetime) -> None:
        if not self.is_mended:
            raise ValueError("poison")
        self.seen.extend(e.data["n"] for e in events)


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Poisoned]:
    found = {name: Poisoned() for name in ("first", "second")}
    for name, reader in found.items():
        monkeypatch.setitem(READERS._entries, name, Reader(name, frozenset({"test.happened"}), reader.handle))
    return found


@pytest.fixture
def manager(client: Client) -> StaffMember:
    member = make_staff("grace@shop.example", "Grace", Role.MANAGER)
    client.force_login(member)
    return member


@pytest.fixture
def profiles(readers: dict[str, Poisoned]) -> list[int]:
    """Two people with two events each; both readers failed on them, so eight events are parked."""
    add(2)
    ids = list(Profile.objects.order_by("pk").values_list("pk", flat=True))
    for n, profile in enumerate([*ids, *ids]):
        with transaction("test") as log:
            log.append(Entry("test.happened", AT, profile, customer_of(profile), data={"n": n}))
    for _ in range(2 * PATIENCE + 2):
        catch_up([READERS["first"], READERS["second"]], AT)
    assert ParkedEvent.objects.count() == 8
    return ids


def _total(client: Client, address: str) -> int:
    return int(client.get(address).context["rows"].total)


def _details() -> list[tuple[str, dict[str, int]]]:
    return list(AuditEntry.objects.filter(action="parked.replay").values_list("actor", "details"))


def test_an_empty_list_says_so_in_one_sentence(client: Client, manager: StaffMember) -> None:
    page = client.get(ADDRESS).content.decode()
    assert "Nothing is parked" in page
    assert "Every event was handled" in page
    assert "0 events that could not be handled" in client.get("/settings").content.decode()


def test_they_are_listed_filtered_and_opened(client: Client, manager: StaffMember, profiles: list[int]) -> None:
    assert 'data-count="8"' in client.get("/settings").content.decode()
    customer = customer_of(profiles[0])
    addresses = ["", "?reader=first", f"?customer={customer}", f"?customer={customer}&reader=second", "?customer=x"]
    assert [_total(client, ADDRESS + a) for a in addresses] == [8, 4, 4, 2, 0]
    first, second = ParkedEvent.objects.filter(reader="first", profile_id=profiles[0]).order_by("position")
    page = client.get(f"{ADDRESS}/{first.pk}").content.decode()
    for words in ("test.happened", "first failed on it 3 times.", "ValueError: failed 3 times"):
        assert words in page
    assert "waits behind an earlier event" in client.get(f"{ADDRESS}/{second.pk}").content.decode()


@pytest.mark.parametrize(("what", "seen"), [("one", [0]), ("customer", [0, 2]), ("reader", [0, 1, 2, 3])])
def test_one_all_of_a_customer_or_all_of_a_reader_are_replayed_and_written_down(
    client: Client, manager: StaffMember, readers: dict[str, Poisoned], profiles: list[int], what: str, seen: list[int]
) -> None:
    readers["first"].is_mended = True
    first = ParkedEvent.objects.filter(reader="first").order_by("position")[0]
    client.post(f"{ADDRESS}/{first.pk}", {"what": what})
    assert (readers["first"].seen, readers["second"].seen) == (seen, [])
    assert ParkedEvent.objects.filter(replayed_at=None).count() == 8 - len(seen)
    assert _details() == [(f"staff:{manager.pk}", {"chosen": len(seen), "changed": len(seen)})]


def test_what_fails_again_stays_with_its_attempt_and_reason(
    client: Client, manager: StaffMember, profiles: list[int]
) -> None:
    first = ParkedEvent.objects.filter(reader="first").order_by("position")[0]
    answer = client.post(f"{ADDRESS}/{first.pk}", {"what": "customer"}, follow=True).content.decode()
    assert "0 events were handled. What failed again stays in the list." in answer
    first.refresh_from_db()
    assert (first.attempts, first.reason) == (PATIENCE + 1, "ValueError: failed when replayed")
    assert ParkedEvent.objects.filter(replayed_at=None).count() == 8


def test_the_list_replays_what_is_chosen(
    client: Client, manager: StaffMember, readers: dict[str, Poisoned], profiles: list[int]
) -> None:
    for reader in readers.values():
        reader.is_mended = True
    client.post(f"{ADDRESS}?customer={customer_of(profiles[1])}", {"action": "replay", "everything": "1"})
    assert (readers["first"].seen, readers["second"].seen) == ([1, 3], [1, 3])


def test_who_may_not_neither_sees_nor_replays(
    client: Client, readers: dict[str, Poisoned], profiles: list[int]
) -> None:
    client.force_login(make_staff("alan@shop.example", "Alan", Role.MARKETER))
    first = ParkedEvent.objects.order_by("position")[0]
    assert client.get(ADDRESS).status_code == 403
    assert client.post(f"{ADDRESS}/{first.pk}", {"what": "one"}).status_code == 403
    assert ParkedEvent.objects.filter(replayed_at=None).count() == 8
    assert ADDRESS not in client.get("/settings").content.decode()
