"""The same in the browser: upload, preview, mapping, start, reject file, undo."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from regulars.connections.files.copies import remove_copy
from regulars.connections.files.errors import NotPossibleNow
from regulars.connections.files.jobs import apply, undo
from regulars.connections.files.models import Import
from regulars.connections.files.operations import apply_import
from regulars.connections.files.tests.conftest import AT
from regulars.connections.files.tests.test_applying import BAD, FIRST
from regulars.foundation import clock
from regulars.foundation.access.models import StaffMember
from regulars.foundation.health.middleware import _SENTENCE
from regulars.foundation.ids import to_public
from regulars.foundation.inbox import frames
from regulars.foundation.inbox.frames import FRAME
from regulars.foundation.inbox.models import Frame
from regulars.foundation.prepared import run
from regulars.foundation.shop.models import Store
from regulars.foundation.work.models import Task
from regulars.record.orders.models import Order

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    staff = StaffMember.objects.create(email="mia@shop.example", role="manager")
    client = Client()
    client.force_login(staff)
    return client


def upload(browser: Client, store: Store, content: str, kind: str = "orders") -> Any:
    file = SimpleUploadedFile("<b>orders.csv", content.encode(), "text/csv")
    return browser.post("/imports/new", {"kind": kind, "store": store.pk, "file": file})


def public_id() -> str:
    return to_public(Import.PREFIX, Import.objects.latest("id").uid)


def test_from_the_upload_to_the_undo(browser: Client, store: Store) -> None:
    assert "Nothing imported yet" in browser.get("/imports").content.decode()
    page = upload(browser, store, FIRST)
    address = f"/imports/{public_id()}"
    assert page["Location"] == address
    frame = Frame.objects.get()
    assert (frame.file, frame.is_last, FIRST[:20].encode() in frame.body) == (Import.objects.get().uid, True, False)
    shown = browser.get(address).content.decode()
    assert "UCI Online Retail" in shown
    assert "Of the first 6 records 6 can be used" in shown
    assert "<b>orders.csv" not in shown
    assert Order.objects.count() == 0

    assert browser.post(f"{address}/start")["Location"] == address
    apply(Import.objects.get().pk)
    assert Order.objects.count() == 3
    task = Task.objects.get()
    assert (task.state, task.done, task.total) == ("done", 8, 8)
    shown = browser.get(address).content.decode()
    assert "7 taken as they are, 1 altered, 0 skipped" in shown
    assert "two timestamps" in shown
    assert browser.get("/imports").content.decode().count(address) >= 1

    browser.post(f"{address}/undo")
    undo(Import.objects.get().pk)
    assert Order.objects.count() == 0
    assert "Undone: 4 orders and refunds" in browser.get(address).content.decode()


def test_the_reject_file_is_safe_to_open(browser: Client, store: Store) -> None:
    upload(browser, store, BAD)
    address = f"/imports/{public_id()}"
    browser.post(f"{address}/start")
    apply(Import.objects.get().pk)
    answer = browser.get(f"{address}/rejects.csv")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert lines[0].startswith("line,outcome,reason,InvoiceNo,StockCode")
    assert len(lines) == 8
    assert '"\'=HYPERLINK(""x"")"' in lines[4]


def test_a_mapping_is_edited_and_read_again(browser: Client, store: Store) -> None:
    upload(browser, store, "order,when,what,price,other\n1,2026-01-02,Mug,5.00,6.00\n")
    address = f"/imports/{public_id()}"
    choices = {
        "layout": "any-orders",
        "map-number": "order",
        "map-placed_at": "when",
        "map-title": "what",
        "map-unit_price": "other",
    }
    shown = browser.get(address).content.decode()
    assert "No column of this file holds the date placed" in shown
    assert f"{address}/start" not in shown
    refused = browser.post(f"{address}/start", follow=True).content.decode()
    assert "No column of this file holds the date placed" in refused
    assert (Import.objects.get().state, Task.objects.count(), Order.objects.count()) == ("staged", 0, 0)
    with pytest.raises(NotPossibleNow):
        apply_import(Import.objects.get().pk, lambda: AT)
    browser.post(f"{address}/options", choices)
    assert f"{address}/start" in browser.get(address).content.decode()
    browser.post(f"{address}/start")
    apply(Import.objects.get().pk)
    assert Order.objects.get().total_minor == 600


def test_wrong_choices_are_told_and_change_nothing(browser: Client, store: Store) -> None:
    upload(browser, store, FIRST)
    address = f"/imports/{public_id()}"
    before = Import.objects.values().get()
    for choices in (
        {"layout": "x"},
        {"encoding": "klingon"},
        {"shift_weeks": "many"},
        {"time_zone": "Mars"},
        {"separator": "#"},
    ):
        page = browser.post(f"{address}/options", choices, follow=True)
        assert page.status_code == 200
        assert Import.objects.values().get() == before
    browser.post(f"{address}/options", {"separator": ";"})
    assert Import.objects.get().sentence.startswith("No column of this file holds the order number")
    browser.post(f"{address}/options", {"separator": ","})
    assert Import.objects.get().sentence == ""
    browser.post(f"{address}/discard")
    assert Import.objects.count() == 0
    assert browser.get(address).status_code == 404


@pytest.mark.parametrize(
    "content", ["", "PK\x03\x04 no", "a,b\n", "Handle,Title,Vendor,Option1 Value,Variant Price\na,A,v,x,1\n"]
)
def test_a_refusal_is_one_sentence_on_the_page(browser: Client, store: Store, content: str) -> None:
    page = upload(browser, store, content)
    assert page.status_code == 400
    assert "field-error" in page.content.decode()
    assert not Frame.objects.exists()


def test_a_file_that_is_cut_off_on_its_way_leaves_nothing(browser: Client, store: Store) -> None:
    page = browser.get("/imports/new").content.decode()
    assert page.index('name="kind"') < page.index('name="file"') < page.index('name="store"')  # as browsers send them
    file = SimpleUploadedFile("orders.csv", FIRST.encode() + b"\n" * 2 * FRAME)
    body = encode_multipart(BOUNDARY, {"kind": "orders", "file": file, "store": store.pk})
    cut = body.index(FIRST.encode()) + len(FIRST) + FRAME  # where a row ends
    assert browser.generic("POST", "/imports/new", body[:cut], MULTIPART_CONTENT).status_code == 400
    assert (Import.objects.exists(), Frame.objects.exists()) == (False, False)
    assert browser.generic("POST", "/imports/new", body, MULTIPART_CONTENT).status_code == 302
    assert list(Frame.objects.order_by("number").values_list("is_last", flat=True)) == [False, False, True]


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_while_the_database_is_full_an_upload_is_asked_to_come_later_and_leaves_nothing(
    browser: Client, store: Store, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    done: list[int] = []

    def full(*given: Any) -> int:
        done.append(1)
        if len(done) == fails_at:
            raise OperationalError("could not extend file: No space left on device")
        return run(*given)

    monkeypatch.setattr(frames, "run", full)
    page = upload(browser, store, FIRST + "\n" * 2 * FRAME)
    assert (page.status_code, page.content.decode()) == (503, _SENTENCE)
    assert len(done) == fails_at  # nothing is tried after it
    assert (Import.objects.exists(), Frame.objects.exists()) == (False, False)
    assert upload(browser, store, FIRST).status_code == 302


def test_a_form_without_file_store_or_token(browser: Client, store: Store) -> None:
    assert browser.post("/imports/new", {"kind": "orders", "store": store.pk}).status_code == 400
    file = SimpleUploadedFile("x.csv", FIRST.encode())
    assert browser.post("/imports/new", {"kind": "nonsense", "store": "77", "file": file}).status_code == 400
    two = [SimpleUploadedFile(name, FIRST.encode()) for name in ("x.csv", "y.csv")]
    assert browser.post("/imports/new", {"kind": "nonsense", "store": store.pk, "file": two}).status_code == 400
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    again = io.BytesIO(FIRST.encode())
    assert strict.post("/imports/new", {"kind": "orders", "store": store.pk, "file": again}).status_code == 403
    assert not Frame.objects.exists()


def test_staff_of_another_store_do_not_see_it(browser: Client, store: Store) -> None:
    upload(browser, store, FIRST)
    other = Store.objects.create(code="de", name="DE", brand=store.brand, currency="EUR")
    staff = StaffMember.objects.create(email="tom@shop.example", role="manager")
    staff.stores.add(other)
    theirs = Client()
    theirs.force_login(staff)
    assert theirs.get(f"/imports/{public_id()}").status_code == 404
    assert theirs.post(f"/imports/{public_id()}/start").status_code == 404
    assert public_id() not in theirs.get("/imports").content.decode()


def test_the_page_is_asked_for_again_when_the_work_ends(browser: Client, store: Store) -> None:
    upload(browser, store, FIRST)
    address = f"/imports/{public_id()}"
    browser.post(f"{address}/start")
    task = Task.objects.get()
    assert task.title == "Import of orders"  # the file's name may speak of somebody
    there = {"HX-Current-URL": f"http://testserver{address}"}
    assert "HX-Refresh" not in browser.get(f"/work/{task.uid}", headers=there)
    apply(Import.objects.get().pk)
    assert browser.get(f"/work/{task.uid}", headers=there)["HX-Refresh"] == "true"
    elsewhere = {"HX-Current-URL": "http://testserver/work"}
    assert "HX-Refresh" not in browser.get(f"/work/{task.uid}", headers=elsewhere)


def test_whoever_may_see_an_import_sees_its_progress(browser: Client, store: Store) -> None:
    upload(browser, store, FIRST)
    address = f"/imports/{public_id()}"
    browser.post(f"{address}/start")
    task = Task.objects.get()
    elsewhere = Store.objects.create(code="de", name="DE", brand=store.brand, currency="EUR")
    answers: dict[tuple[str, ...], tuple[int, int]] = {}
    for role, stores in (("analyst", []), ("analyst", [store]), ("analyst", [elsewhere]), ("agent", [])):
        member = StaffMember.objects.create(email=f"{role}{len(answers)}@shop.example", role=role)
        member.stores.set(stores)
        client = Client()
        client.force_login(member)
        name = (role, *(s.code for s in stores))
        answers[name] = (client.get(address).status_code, client.get(f"/work/{task.uid}").status_code)
    assert answers == {
        ("analyst",): (200, 200),
        ("analyst", store.code): (200, 200),
        ("analyst", "de"): (404, 404),
        ("agent",): (403, 404),
    }
    Task.objects.update(kind="bulk")  # of others' work nothing else is shown
    client = Client()
    client.force_login(StaffMember.objects.get(email="analyst0@shop.example"))
    assert client.get(f"/work/{task.uid}").status_code == 404


def test_an_import_whose_process_has_gone_is_continued_from_its_page(browser: Client, store: Store) -> None:
    upload(browser, store, FIRST)
    address = f"/imports/{public_id()}"
    Import.objects.update(state="running", worked_at=clock.now() - timedelta(seconds=90))
    assert f"{address}/start" not in browser.get(address).content.decode()
    browser.post(f"{address}/start")
    assert (Import.objects.get().state, Task.objects.count()) == ("running", 0)
    Import.objects.update(worked_at=clock.now() - timedelta(minutes=3))
    shown = browser.get(address).content.decode()
    assert "the process that worked on it has gone" in shown
    assert f"{address}/undo" in shown
    browser.post(f"{address}/start")
    apply(Import.objects.get().pk)
    assert (Import.objects.get().state, Order.objects.count()) == ("done", 3)


def test_a_page_whose_copy_has_gone_says_so(browser: Client, store: Store) -> None:
    upload(browser, store, FIRST)
    row = Import.objects.get()
    Import.objects.update(state="failed", sentence="It stopped.")
    remove_copy(row.uid)
    address = f"/imports/{public_id()}"
    assert f"{address}/start" not in browser.get(address).content.decode()
    answer = browser.post(f"{address}/start", follow=True).content.decode()
    assert "The staged copy of this file is no longer kept" in answer
    assert Import.objects.get().state == "failed"
