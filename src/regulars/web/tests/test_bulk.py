"""What is done to all that match: at once for few, in slices for many, resumed after a kill, audited once."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.rules import Role
from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.doors import load_doors
from regulars.foundation.errors import NotAllowed
from regulars.foundation.pages import bulk
from regulars.foundation.pages.lists import ListPage
from regulars.foundation.pages.models import BulkRun, BulkSlice
from regulars.foundation.work.models import Task
from regulars.record.consent.models import DoNotContact
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import CustomerCard, IdentityKind, Tag, TagEntry
from regulars.record.customers.operations import ensure_profiles
from regulars.record.events.log import transaction
from regulars.record.events.models import Batch, Event
from regulars.web import jobs as _registered  # noqa: F401  fills the registry, as a worker's start does
from regulars.web.tests.shop import make_staff

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
MANY = bulk.AT_ONCE + 2 * bulk.SLICE + 7


@pytest.fixture
def manager(client: Client) -> StaffMember:
    member = make_staff("grace@shop.example", "Grace", Role.MANAGER)
    client.force_login(member)
    return member


def add(count: int, first: int = 0) -> None:
    numbers = (IdentityInput(IdentityKind.STORE_CUSTOMER, str(1000 + first + n), "uk") for n in range(count))
    with transaction("import", "imp") as log:
        ensure_profiles([PersonInput((number,), AT) for number in numbers], log)


def post(client: Client, action: str, word: str = "") -> str:
    given = {"action": action, "input": word, "everything": "1", "row": ["1"]}
    return client.post("/customers", given, follow=True).content.decode()


def tagged() -> int:
    return CustomerCard.objects.exclude(tags=[]).count()


def audited() -> list[dict[str, Any]]:
    return list(AuditEntry.objects.filter(action__startswith="customers.").values_list("details", flat=True))


def waiting_jobs() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT (args->>'run_id')::bigint FROM procrastinate_jobs WHERE task_name = 'pages.bulk'")
        return [row[0] for row in cursor.fetchall()]


def test_few_are_done_at_once_and_written_down(client: Client, manager: StaffMember) -> None:
    add(3)
    assert "Put the tag &#x27;VIP&#x27; on 3 customers." in post(client, "tag", "VIP")
    assert (tagged(), waiting_jobs(), audited()) == (3, [], [{"chosen": 3, "changed": 3}])


def test_many_go_in_slices_with_progress_in_the_bell(client: Client, manager: StaffMember) -> None:
    add(MANY)
    assert "Begun for 1,007." in post(client, "tag", "VIP")
    [run] = BulkRun.objects.all()
    assert (tagged(), run.done, waiting_jobs()) == (bulk.SLICE, bulk.SLICE, [run.pk])
    add(5, first=MANY)  # who comes later is not among them
    before = Batch.objects.count()
    bulk.carry_on(run.pk, lambda: AT)
    assert tagged() == MANY
    assert Batch.objects.count() - before == 4  # each slice is a transaction of its own
    task = Task.objects.get()
    assert (task.state, task.done, task.total) == ("done", MANY, MANY)
    assert task.sentence == "Put the tag 'VIP' on 1,007 customers."
    assert audited() == [{"chosen": MANY, "changed": MANY}]
    assert BulkSlice.objects.count() == 0
    bulk.carry_on(run.pk, lambda: AT)  # the job again
    assert (TagEntry.objects.count(), Event.objects.filter(kind="customer.tagged").count()) == (MANY, MANY)
    assert len(audited()) == 1


def test_it_goes_on_after_a_kill_and_does_nobody_twice(
    client: Client, manager: StaffMember, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(MANY)
    post(client, "leave-alone")
    [run] = BulkRun.objects.all()
    assert bulk._do_slice(run, manager.viewer(), AT) == 2 * bulk.SLICE
    action, killed = bulk.BULK["customers.leave-alone"], []

    def die_after_writing(ids: Sequence[int], *args: Any) -> int:
        action.run(ids, *args)
        killed.append(len(ids))
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setitem(bulk.BULK._entries, "customers.leave-alone", replace(action, run=die_after_writing))
        with pytest.raises(KeyboardInterrupt):
            bulk.carry_on(run.pk, lambda: AT)
    assert (killed, DoNotContact.objects.count()) == ([bulk.SLICE], 2 * bulk.SLICE)
    bulk.carry_on(run.pk, lambda: AT)
    assert DoNotContact.objects.count() == DoNotContact.objects.values("profile_id").distinct().count() == MANY
    assert audited() == [{"chosen": MANY, "changed": MANY}]


def test_what_is_refused_begins_nothing(client: Client, manager: StaffMember) -> None:
    add(MANY)
    assert "A tag has 1 to 60 characters" in post(client, "tag", "x" * 61)
    assert (BulkRun.objects.count(), Task.objects.count(), Tag.objects.count(), waiting_jobs()) == (0, 0, 0, [])


def test_whoever_lost_the_right_meanwhile_does_no_more(client: Client, manager: StaffMember) -> None:
    add(MANY)
    post(client, "tag", "VIP")
    StaffMember.objects.filter(pk=manager.pk).update(role=Role.READ_ONLY)
    with pytest.raises(NotAllowed):
        bulk.carry_on(BulkRun.objects.get().pk, lambda: AT)
    assert tagged() == bulk.SLICE
    task = Task.objects.get()
    assert task.state == "failed"
    assert task.sentence.endswith("250 of 1,007 are done.")


def test_what_each_list_offers_for_many_rows_is_known_to_workers() -> None:
    load_doors("jobs")
    modules = [*load_doors("views"), *(module for name, module in sys.modules.items() if name.startswith("regulars."))]
    pages = {page.name: page for module in modules for page in vars(module).values() if isinstance(page, ListPage)}
    offered = {f"{page.name}.{one.name}" for page in pages.values() for one in page.actions if not one.is_one_step}
    assert {"customers.tag", "inbox.replay"} <= offered <= set(bulk.BULK)
