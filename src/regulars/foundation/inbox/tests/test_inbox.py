"""What comes in is stored once, sealed, read in order, and never stops what follows; nothing of it is lost, and in the end it goes."""

import gzip
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import InternalError, OperationalError, connection, transaction
from django.test import Client

from regulars.foundation.access.operations import create_staff
from regulars.foundation.access.viewer import Viewer, everything
from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.bulk import execute, fetch
from regulars.foundation.errors import NotAllowed, NotFound
from regulars.foundation.inbox import keys, operations, reading, receiving
from regulars.foundation.inbox.models import DayKey, InputKey, Item
from regulars.foundation.inbox.parsers import PARSERS, Outcome, Parser, RawInput
from regulars.foundation.inbox.queries import list_waiting, open_item, read_unparsed_with
from regulars.foundation.inbox.receiving import Arrival, TooBusy, receive, require_room
from regulars.foundation.inbox.views import MOST_SHOWN
from regulars.foundation.sealing import CannotOpen, KeyRing
from regulars.foundation.shop.models import Brand, Store
from regulars.foundation.shop.settings import write_setting
from regulars.foundation.vault.keys import key_ring
from regulars.foundation.vault.rotation import WRAPPED
from regulars.foundation.work.leases import LeaseLost, release_lease, take_lease
from regulars.foundation.work.loops import Stop

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


class Echo:
    """A parser that remembers what it read, and fails on what it is told to."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []

    def read(self, inputs: Sequence[RawInput], at: datetime) -> list[Outcome]:
        bodies = [one.body for one in inputs]
        if b"raise" in bodies:
            raise ValueError("the message repeats what secret@shop.example sent")
        self.batches.append(bodies)
        return [Outcome(refused="Not for us.") if body == b"refuse" else Outcome(frozenset({7})) for body in bodies]


@pytest.fixture
def echo() -> Iterator[Echo]:
    echo = Echo()
    PARSERS.register("echo", Parser("echo", "Echoes", echo.read, most_inputs=4, most_bytes=1_000))
    keys.forget_cached()
    yield echo
    del PARSERS._entries["echo"]


def arrive(*bodies: bytes, source: str = "echo:1", **more: Any) -> int:
    return receive([Arrival(source, "echo", body, **more) for body in bodies], AT)


def states() -> list[tuple[str, int, str]]:
    return list(Item.objects.order_by("pk").values_list("state", "attempts", "reason"))


def read_all() -> None:
    while reading.read_waiting(Stop(), AT):
        pass


def test_the_same_own_id_of_one_source_is_stored_once() -> None:
    assert arrive(b"a", own_id="1") == 1
    assert arrive(b"b", own_id="1") == 0
    assert arrive(b"c", own_id="1", source="echo:2") == 1
    assert receive([Arrival("echo:3", "echo", b"x", own_id="9"), Arrival("echo:3", "echo", b"y", own_id="9")], AT) == 1
    assert arrive(b"without") + arrive(b"without") == 2
    assert [open_item(item)[1] for item in Item.objects.order_by("pk")] == [b"a", b"c", b"x", b"without", b"without"]
    assert InputKey.objects.count() == 3


def test_what_lies_there_is_sealed_and_bound_to_its_row() -> None:
    arrive(b"secret@shop.example", headers={"User-Agent": "secret-agent"})
    arrive(b"other")
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM inbox_item t")
        text = "".join(row[0] for row in cursor.fetchall())
    assert b"secret".hex() not in text
    one, other = Item.objects.order_by("pk")
    assert open_item(one) == ({"user-agent": "secret-agent"}, b"secret@shop.example")
    one.body = other.body
    with pytest.raises(CannotOpen):
        open_item(one)


def test_only_headers_of_the_list_are_kept_and_at_most_8_kb_of_them() -> None:
    shopify = {f"X-Shopify-{n}": "v" * 5_000 for n in range(20)}
    arrive(b"", headers={"Authorization": "Bearer x", "Cookie": "y", "Content-Type": "text/plain", **shopify})
    headers, _ = open_item(Item.objects.get())
    assert headers["content-type"] == "text/plain"
    assert not {"authorization", "cookie"} & headers.keys()
    assert len(json.dumps(headers)) <= 8_192
    assert {len(value) for name, value in headers.items() if name.startswith("x-")} == {1_000}


def test_a_source_is_read_in_order_in_batches_that_are_not_too_large(echo: Echo) -> None:
    arrive(*[b"%d" % n for n in range(6)])
    arrive(b"x" * 900, b"y" * 200, source="echo:2")
    read_all()
    assert echo.batches == [[b"0", b"1", b"2", b"3"], [b"x" * 900], [b"4", b"5"], [b"y" * 200]]
    assert states() == [("parsed", 1, "")] * 8
    assert Item.objects.filter(people=[7], read_at=AT).count() == 8


def test_what_came_compressed_counts_as_large_as_it_will_be(echo: Echo) -> None:
    arrive(b"x", size=600)
    arrive(b"y", size=600)
    arrive(b"z")
    read_all()
    assert echo.batches == [[b"x"], [b"y", b"z"]]


def test_marking_a_batch_reads_nothing_else_of_the_day() -> None:
    """Also of a day that has grown since PostgreSQL looked at it."""
    arrive(b"x" * 1_000)
    more = """
        INSERT INTO inbox_item (received_at, source, kind, key, headers, body, size)
        SELECT received_at + n * interval '1 ms', source, kind, key, headers, body, size
        FROM (SELECT * FROM inbox_item LIMIT 1) one, generate_series(1, 6000) n
    """
    execute(more, [])
    execute("ANALYZE inbox_item", [])
    execute(more.replace("1 ms", "1 s"), [])
    count = 1_000
    rows = list(Item.objects.order_by("-pk")[:count])
    said = {"at": AT, "states": ["parsed"] * count, "reasons": [""] * count, "people": ["{7}"] * count}
    items = [reading._Waits(row.pk, row.received_at, row.kind, row.attempts, row.size) for row in rows]
    plan = json.dumps(fetch("EXPLAIN (FORMAT json) " + reading._MARK, said | reading._these(items)))
    assert '"Index Cond": "((id = ANY' in plan


def test_a_source_of_which_little_waits_is_read_beside_the_others(echo: Echo) -> None:
    arrive(*[b"%d" % n for n in range(reading.FEW + 1)], source="echo:flood")
    arrive(*[b"few"] * reading.FEW, source="echo:few")
    while reading.read_few(Stop(), AT):
        pass
    assert [body for batch in echo.batches for body in batch] == [b"few"] * reading.FEW
    assert take_lease("inbox:echo:flood", "somebody", 30) is not None
    arrive(b"now", source="echo:few")
    reading.read_waiting(Stop(), AT)
    assert echo.batches[-1] == [b"now"]


def test_only_what_is_read_again_after_a_loss_is_committed_without_waiting_for_the_disk(
    echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def setting() -> str:
        return str(fetch("SHOW synchronous_commit", [])[0][0])

    execute("SET synchronous_commit TO on", [])
    seen: list[str] = []
    monkeypatch.setattr(receiving, "crash_point", lambda name: seen.append(setting()))
    monkeypatch.setattr(reading, "crash_point", lambda name: seen.append(setting()))
    arrive(b"a")
    read_all()
    assert seen == ["on", "off", "off"]  # stored, taken, read
    assert states() == [("parsed", 1, "")]


def test_what_fails_goes_to_quarantine_and_what_follows_is_read(echo: Echo, caplog: pytest.LogCaptureFixture) -> None:
    arrive(b"before", b"raise", b"refuse", b"after")
    read_all()
    assert echo.batches == [[b"before"], [b"refuse"], [b"after"]]
    line = reading_line_of("raise ValueError")
    assert states() == [
        ("parsed", 1, ""),
        ("quarantined", 1, f"ValueError (test_inbox.py, line {line})"),
        ("quarantined", 1, "Not for us."),
        ("parsed", 1, ""),
    ]
    assert "secret" not in caplog.text + str(states())


def reading_line_of(text: str) -> int:
    with open(__file__) as file:  # noqa: PTH123
        return next(number for number, line in enumerate(file, 1) if text in line)


def test_one_that_kills_its_reader_is_found_out_after_three_and_holds_nobody_up(echo: Echo) -> None:
    arrive(b"kills", b"good")
    counted = []
    for _ in range(reading.MOST_ATTEMPTS):  # the process dies after it took them
        held = take_lease("inbox:echo:1", "dies", 0)
        assert held
        assert reading._take("echo:1", was_left=held.was_left)
        counted.append([attempts for _, attempts, _ in states()])
    assert counted == [[0, 0], [2, 1], [3, 1]]  # after the first death each is taken alone
    read_all()
    assert states() == [("quarantined", 4, reading.KILLED), ("parsed", 2, "")]
    assert echo.batches == [[b"good"]]


def test_a_source_that_another_reads_is_left_alone_and_a_lost_lease_writes_nothing(
    echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(b"a")
    assert take_lease("inbox:echo:1", "another", 30)
    assert not reading.read_source("echo:1", AT)
    assert states() == [("received", 0, "")]
    connection.cursor().execute("UPDATE work_lease SET until = to_timestamp(0)")

    def overtaken(inputs: Sequence[RawInput], at: datetime) -> list[Outcome]:
        raise AssertionError("must not be reached: the fence is checked first")

    taken = reading._take("echo:1", was_left=False)
    held = take_lease("inbox:echo:1", "slow", 0)
    assert held
    assert take_lease("inbox:echo:1", "quick", 30)
    monkeypatch.setattr(echo, "read", overtaken)
    with pytest.raises(LeaseLost):
        reading._read(taken, held, AT)
    assert states() == [("received", 0, "")]


def test_a_database_that_goes_away_is_no_fault_of_what_was_read(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of a batch nor of what was taken alone; the source is free as soon as the database answers again."""
    arrive(b"a", b"b")
    Item.objects.filter(pk=Item.objects.order_by("pk")[0].pk).update(attempts=1)
    for taken, left in ((b"a", [1, 0]), (b"b", [2, 0])):
        read_while_away(monkeypatch)
        reading._pay_debts()
        assert [attempts for _, attempts, _ in states()] == left
        held = take_lease("inbox:echo:1", "another", 30)
        assert held is not None
        assert not held.was_left
        release_lease(held)
        reading.read_waiting(Stop(), AT)
        assert echo.batches[-1] == [taken]
    assert states() == [("parsed", 2, ""), ("parsed", 1, "")]


def read_while_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is lost in the midst of a batch: nothing can be written after that, the lease's return neither."""
    lost, pay = [], reading._pay_debts

    def away(*args: object, **named: object) -> None:
        lost.append(True)
        raise OperationalError("the connection is gone")

    with monkeypatch.context() as patched:
        patched.setattr(reading, "_read_together", away)
        patched.setattr(reading, "_pay_debts", lambda: away() if lost else pay())
        patched.setattr(connection, "is_usable", lambda: False)
        with pytest.raises(OperationalError):
            reading.read_waiting(Stop(), AT)


def test_a_statement_that_always_fails_is_found_out(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(inputs: Sequence[RawInput], at: datetime) -> list[Outcome]:
        raise OperationalError("canceling statement due to statement timeout")

    del PARSERS._entries["echo"]
    PARSERS.register("echo", Parser("echo", "Echoes", slow))
    PARSERS.register("quick", Parser("quick", "Reads", lambda inputs, at: [Outcome() for _ in inputs]))
    try:
        arrive(b"slow")
        receive([Arrival("quick:1", "quick", b"")], AT)
        for attempt in range(1, reading.MOST_ATTEMPTS + 1):
            reading.read_waiting(Stop(), AT)
            assert states() == [("received", attempt, ""), ("parsed", 1, "")]  # who comes after it does not wait
        read_all()
        assert states() == [("quarantined", 4, reading.KILLED), ("parsed", 1, "")]
    finally:
        del PARSERS._entries["quick"]


def test_a_used_up_quota_of_the_disk_puts_nothing_into_quarantine(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    said = 'could not extend file "base/5/16403": Disk quota exceeded'

    def full(inputs: Sequence[RawInput], at: datetime) -> list[Outcome]:
        raise InternalError(said) from psycopg.errors.InternalError_(said)

    arrive(b"a", b"b")
    with monkeypatch.context() as patched:
        patched.setitem(PARSERS._entries, "echo", Parser("echo", "Echoes", full))
        assert not reading.read_waiting(Stop(), AT)
    assert states() == [("received", 1, ""), ("received", 1, "")]
    read_all()
    assert {state for state, _, _ in states()} == {"parsed"}


def test_one_source_that_floods_holds_up_no_other(echo: Echo) -> None:
    arrive(*[b"%d" % n for n in range(400)], source="echo:1")
    arrive(b"other", source="echo:2")
    assert reading.read_waiting(Stop(), AT)
    assert echo.batches == [[b"0", b"1", b"2", b"3"], [b"other"]]


def test_what_nobody_reads_waits(echo: Echo) -> None:
    receive([Arrival("later:1", "later", b"x")], AT)
    read_all()
    assert states() == [("received", 0, "")]


def test_too_much_of_one_source_is_asked_to_wait_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    write_setting("inbox.most_waiting", 2, AT)
    monkeypatch.setattr(receiving, "_looks", {})
    arrive(b"a", b"b")
    arrive(b"c", source="echo:2")
    with pytest.raises(TooBusy) as busy:
        require_room("echo:1")
    assert (busy.value.status, busy.value.details["retry_after"]) == (429, 30)
    require_room("echo:2")
    assert Item.objects.count() == 3


def test_days_go_with_their_keys_and_are_made_ahead(echo: Echo) -> None:
    old = AT - timedelta(days=31)
    receive([Arrival("echo:1", "echo", b"old", own_id="1")], old)
    receive([Arrival("echo:1", "echo", b"kept")], AT - timedelta(days=30))
    item = Item.objects.get(received_at=old)
    read_all()
    operations.keep_up(Stop(), AT)
    assert [open_item(one)[1] for one in Item.objects.all()] == [b"kept"]
    assert list(DayKey.objects.values_list("day", flat=True)) == [(AT - timedelta(days=30)).date()]
    with pytest.raises(CannotOpen):
        open_item(item)
    assert receive([Arrival("echo:1", "echo", b"again", own_id="1")], AT) == 0  # its key lives longer
    operations.keep_up(Stop(), AT + timedelta(days=400))
    assert InputKey.objects.count() == 0
    assert not operations.keep_up(Stop(), datetime(2033, 5, 6, tzinfo=UTC))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_regclass('inbox_item_2033_05_06') IS NULL, to_regclass('inbox_item_2033_05_09') IS NULL"
        )
        assert cursor.fetchone() == (False, False)


def test_what_waits_to_be_read_outlives_its_days_and_what_nobody_reads_does_not(echo: Echo) -> None:
    """No worker ran for longer than things are kept: what somebody was thanked for is read first."""
    unread, old = Arrival("odd:1", "odd", b"unread"), AT - timedelta(days=40)
    receive([unread, Arrival("echo:1", "echo", b"old")], old)
    receive([unread], old - timedelta(days=2))
    operations.keep_up(Stop(), AT)
    assert list(Item.objects.order_by("pk").values_list("kind", "received_at")) == [("odd", old), ("echo", old)]
    read_all()
    assert echo.batches == [[b"old"]]
    operations.keep_up(Stop(), AT)
    assert (Item.objects.count(), DayKey.objects.count()) == (0, 0)


def test_a_new_master_key_opens_the_days_before_it() -> None:
    arrive(b"a")
    row = DayKey.objects.get()
    fresh = KeyRing((("k9", b"9" * 32), *key_ring().keys))
    assert WRAPPED["days of the inbox"](fresh) == 1
    row.refresh_from_db()
    assert row.master_id == "k9"
    assert len(fresh.unwrap("k9", bytes(row.wrapped), -row.day.toordinal())) == 32


def test_a_key_that_was_rolled_back_seals_nothing() -> None:
    keys.forget_cached()
    with transaction.atomic():
        arrive(b"a")
        transaction.set_rollback(True)
    arrive(b"b")
    assert open_item(Item.objects.get())[1] == b"b"
    assert DayKey.objects.count() == 1


def test_replaying_reads_again_and_is_audited(echo: Echo) -> None:
    arrive(b"raise", b"good")
    read_all()
    item = Item.objects.get(state="quarantined")
    item_ids = list(Item.objects.values_list("pk", flat=True))
    with pytest.raises(NotAllowed):
        operations.replay([item.pk], Viewer(1, frozenset({"inbox.view"})), AT)
    assert operations.replay(item_ids, SYSTEM, AT) == 2
    assert states() == [("received", 0, "")] * 2
    entry = AuditEntry.objects.latest("sequence")
    assert (entry.action, entry.details) == ("inbox.replayed", {"inputs": 2})
    assert operations.replay(item_ids, SYSTEM, AT) == 0  # both wait already


def test_staff_of_one_store_see_replay_and_open_its_own_only(echo: Echo) -> None:
    brand = Brand.objects.create(name="B", from_name="B", from_address="b@shop.example")
    store = Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")
    arrive(b"refuse", store_id=store.pk)
    arrive(b"refuse", source="echo:2")
    read_all()
    own, other = Item.objects.order_by("pk")
    viewer = Viewer(1, everything().permissions, frozenset({store.pk}))
    with pytest.raises(NotFound):
        operations.read_body(other.pk, viewer, AT)
    assert operations.read_body(own.pk, viewer, AT)[2] == b"refuse"
    assert operations.replay([own.pk, other.pk], viewer, AT) == 1
    assert states() == [("received", 0, ""), ("quarantined", 1, "Not for us.")]


def test_the_pages_show_and_replay_to_staff_of_one_store_its_own_only(echo: Echo) -> None:
    brand = Brand.objects.create(name="B", from_name="B", from_address="b@shop.example")
    store = Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")
    abroad = Store.objects.create(code="de", name="DE", brand=brand, currency="EUR")
    arrive(b"refuse", source="echo:own", store_id=store.pk)
    arrive(b"refuse", source="echo:other", store_id=abroad.pk)
    read_all()
    own, other = Item.objects.order_by("pk")
    member, _ = create_staff("uk@shop.example", "manager", SYSTEM, AT, stores=[store.pk])
    client = Client()
    client.force_login(member)
    listed = client.get("/settings/inbox").content.decode()
    assert ("echo:own" in listed, "echo:other" in listed, "1 input could not be read." in listed) == (True, False, True)
    assert [client.get(f"/settings/inbox/{one.pk}").status_code for one in (own, other)] == [200, 404]
    assert client.get(f"/settings/inbox/{other.pk}?open=1").status_code == 404
    assert client.post(f"/settings/inbox/{other.pk}/replay").status_code == 404
    client.post("/settings/inbox", {"action": "replay", "everything": "1"})
    client.post("/settings/inbox", {"action": "replay", "ids": [str(other.pk)]})
    assert states() == [("received", 0, ""), ("quarantined", 1, "Not for us.")]


def test_the_page_filters_opens_and_replays(echo: Echo, capsys: pytest.CaptureFixture[str]) -> None:
    arrive(b"refuse<script>", b"raise", b"\xff\x00body")
    read_all()
    member, _ = create_staff("owner@shop.example", "owner", SYSTEM, AT)
    client = Client()
    client.force_login(member)
    listed = client.get("/settings/inbox?state=quarantined").content.decode()
    assert "1 input could not be read." in listed
    assert "ValueError" in listed
    assert "1 input" in listed
    bad, odd = Item.objects.get(state="quarantined"), Item.objects.latest("pk")
    assert "body" not in client.get(f"/settings/inbox/{odd.pk}").context["text"]
    assert not AuditEntry.objects.filter(action="inbox.read").exists()
    assert client.get(f"/settings/inbox/{odd.pk}?open=1").context["text"] == "\ufffd\ufffdbody"
    assert AuditEntry.objects.get(action="inbox.read").subject == f"input:{odd.pk}"
    arrive(gzip.compress(b'{"a": 1}'), gzip.compress(b"0" * 10**7), gzip.compress(b"cut")[:12], b"\x1f\x8b no gzip")
    packed = Item.objects.order_by("-pk")[:4]
    shown = [client.get(f"/settings/inbox/{item.pk}?open=1").context["text"] for item in reversed(packed)]
    assert (shown[0], len(shown[1]), shown[3]) == ('{"a": 1}', MOST_SHOWN, "\x1f\ufffd no gzip")
    packed_numbers = [item.pk for item in packed]
    Item.objects.filter(pk__in=packed_numbers).delete()
    assert client.post(f"/settings/inbox/{bad.pk}/replay").status_code == 302
    assert Item.objects.get(pk=bad.pk).state == "received"
    client.post("/settings/inbox?state=parsed", {"action": "replay", "everything": "1"})
    assert {state for state, _, _ in states()} == {"received"}
    call_command("stats", "--json")
    stats = json.loads(capsys.readouterr().out)
    assert (stats["waiting_inputs"], stats["quarantined_inputs"]) == (3, 0)
    assert [(one.kind, one.received, one.quarantined) for one in list_waiting()] == [("echo", 3, 0)]


def test_what_nobody_understood_is_searched_for_a_person_and_forgotten(echo: Echo) -> None:
    arrive(b"refuse", b"raise", b'{"mail": "Ann@Shop.example"}')
    assert [item.size for item in read_unparsed_with({"ann@shop.example", "x"})] == [28]
    found = read_unparsed_with({"raise"})
    assert operations.forget_bodies([item.pk for item in found]) == 0  # it waits to be read
    read_all()
    assert operations.forget_bodies([item.pk for item in read_unparsed_with({"raise"})]) == 1
    item = Item.objects.get(pk=found[0].pk)
    assert (item.body, bytes(item.headers), item.people) == (None, b"", [])
    with pytest.raises(CannotOpen):
        open_item(item)
    assert operations.replay([item.pk], SYSTEM, AT) == 0
