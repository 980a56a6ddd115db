"""Lists in the browser: made of a file, decided, shown on the customer's page, asked for among customers, exported."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from regulars.connections.files.jobs import apply, check
from regulars.connections.files.models import Import
from regulars.foundation import clock
from regulars.foundation.access.models import StaffMember
from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.ids import to_public
from regulars.foundation.shop.models import Brand, Store
from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import Customer, IdentityKind
from regulars.record.customers.operations import ensure_profiles
from regulars.record.customers.queries import customers_of
from regulars.record.events.log import transaction
from regulars.record.lists import queries
from regulars.record.lists.models import CustomerList, ListMember

pytestmark = pytest.mark.django_db
FILE = "ann@ourmail.net\n=cmd@\nzed@ourmail.net\n"


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Any) -> None:
    settings.HOME = tmp_path


@pytest.fixture
def store() -> Store:
    brand = Brand.objects.create(name="b", from_name="b", from_address="b@shop.example")
    return Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP", time_zone="Europe/London")


@pytest.fixture
def ann(store: Store) -> str:
    """Her public id. Her name would be a formula."""
    mail = IdentityInput(IdentityKind.EMAIL, "ann@ourmail.net")
    card = ContactCard(name="=Ann()", email=mail.value)
    with transaction("import") as log:
        profiles = ensure_profiles([PersonInput((mail,), clock.now(), store.pk, contact=card)], log)
    return to_public(Customer.PREFIX, Customer.objects.get(pk=customers_of(profiles)[profiles[0]]).uid)


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(StaffMember.objects.create(email=f"{role}@shop.example", name=role.title(), role=role))
    return client


@pytest.fixture
def marketer() -> Client:
    return signed_in("marketer")


def made(marketer: Client, store: Store, content: str = FILE, **chosen: str) -> tuple[CustomerList, Import]:
    """A list of a file that was looked at and decided."""
    file = SimpleUploadedFile("guests.csv", content.encode(), "text/csv")
    answer = marketer.post("/list-uploads/new", {"name": "Fair in May", "store": store.pk, "file": file})
    row = Import.objects.latest("pk")
    assert answer["Location"] == f"/list-uploads/{to_public('imp', row.uid)}", answer.content
    check(row.pk)
    page = marketer.get(answer["Location"]).content.decode()
    assert "Nobody has been put on yet." in page
    marketer.post(f"{answer['Location']}/start", chosen or {"unknown": "leave"})
    apply(row.pk)
    row.refresh_from_db()
    return CustomerList.objects.get(), row


def href(row: CustomerList) -> str:
    return f"/lists/{to_public(CustomerList.PREFIX, row.uid)}"


def test_a_marketer_makes_a_list_of_a_file(marketer: Client, store: Store, ann: str) -> None:
    row, upload = made(marketer, store)
    assert upload.sentence == "3 rows: 1 taken as they are, 0 altered, 2 skipped. 1 customer put on the list."
    lines = b"".join(marketer.get(f"/list-uploads/{to_public('imp', upload.uid)}/lines.csv")).decode("utf-8-sig")
    assert lines.splitlines()[1:] == [
        "2,skipped,'=cmd@' is not a mail address that tells who it is,'=cmd@",
        "3,skipped,nobody is known by this,zed@ourmail.net",
    ]
    page = marketer.get(href(row)).content.decode()
    assert "1 customer is on this list." in page
    assert 'data-total="1"' in marketer.get("/customers?list=fair-in-may").content.decode()
    assert 'data-total="1"' in marketer.get(f"{href(row)}/members?state=now").content.decode()
    actions = AuditEntry.objects.filter(action__startswith="list.").order_by("sequence")
    assert [one.action for one in actions] == ["list.made", "list.upload", "list.upload_decided"]


def test_a_refused_file_leaves_no_list(marketer: Client, store: Store) -> None:
    file = SimpleUploadedFile("guests.csv", b"\x89PNG\r\n", "text/csv")
    answer = marketer.post("/list-uploads/new", {"name": "Fair", "store": store.pk, "file": file})
    assert (answer.status_code, CustomerList.objects.count(), Import.objects.count()) == (400, 0, 0)
    assert "This is a picture" in answer.content.decode()


def test_pasted_lines_are_an_upload_too(marketer: Client, store: Store, ann: str) -> None:
    given = {"name": "Fair", "store": store.pk, "lines": "ann@ourmail.net; zed@ourmail.net"}
    assert marketer.post("/list-uploads/new", given).status_code == 302
    row = Import.objects.get()
    check(row.pk)
    row.refresh_from_db()
    assert (row.counts["rows_known"], row.counts["rows_unknown"]) == (1, 1)


def test_somebody_is_put_on_and_taken_off_from_their_page(marketer: Client, store: Store, ann: str) -> None:
    row = CustomerList.objects.create(key="vip", name="Our VIPs", created_at=clock.now())
    form = {"list": "vip", "customer": ann, "from": "customer"}
    assert marketer.post("/lists/put", form)["Location"] == f"/customers/{ann}"
    page = marketer.get(f"/customers/{ann}").content.decode()
    assert "Put on the list Our VIPs" in page
    assert "Marketer" in page
    assert "Take off Our VIPs" in page
    assert marketer.post("/lists/take", form)["Location"] == f"/customers/{ann}"
    assert queries.sizes() == {}
    answer = marketer.post("/lists/put", {"list": "vip", "who": "ann@ourmail.net"}, follow=True)
    assert "Put on &#x27;Our VIPs&#x27;." in answer.content.decode()
    answer = marketer.post("/lists/put", {"list": "vip", "who": "zed@ourmail.net"}, follow=True)
    assert "Nobody is known by" in answer.content.decode()
    assert ListMember.objects.filter(list=row).count() == 2


def test_the_ledger_is_exported_without_formulas(marketer: Client, store: Store, ann: str) -> None:
    row, _ = made(marketer, store)
    answer = signed_in("owner").post(f"{href(row)}/members", {"action": "export"})
    text = b"".join(answer).decode("utf-8-sig")
    assert f"{ann},'=Ann(),ann@ourmail.net,,On it," in text


def test_who_may_only_look_changes_nothing(store: Store, ann: str) -> None:
    reader = signed_in("read_only")
    row = CustomerList.objects.create(key="vip", name="Our VIPs", created_at=clock.now())
    page = reader.get(href(row)).content.decode()
    assert ("Our VIPs" in page, "/list-uploads/" in page, "/archive" in page) == (True, False, False)
    for path, form in (
        ("/lists/put", {"list": "vip", "customer": ann}),
        (f"{href(row)}/archive", {}),
        (f"{href(row)}/rename", {"name": "x"}),
        ("/list-uploads/new", {"name": "x"}),
    ):
        assert reader.post(path, form).status_code == 403
    assert reader.get("/list-uploads/new").status_code == 403
    assert (ListMember.objects.count(), CustomerList.objects.get().name) == (0, "Our VIPs")
