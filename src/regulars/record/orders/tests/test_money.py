"""Rates, the reporting currency and the shop's zone: what they make of every sum, and what happens when they change."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from procrastinate.contrib.django.models import ProcrastinateJob

from regulars.foundation.access.viewer import Viewer, everything
from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.bulk import execute
from regulars.foundation.errors import InvalidInput
from regulars.foundation.shop.models import Brand, ExchangeRate, Store
from regulars.foundation.shop.settings import read_setting, write_setting
from regulars.foundation.work.models import Task
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.events.log import transaction
from regulars.record.events.models import Event
from regulars.record.orders.inputs import LineInput, OrderInput, RefundInput
from regulars.record.orders.models import CustomerFigures, StoreFigures
from regulars.record.orders.operations import apply_orders, money, verify_figures
from regulars.record.orders.queries import count_unconverted, sales_of_products
from regulars.record.orders.rates import BadRate, Rate, parse_rate, read_rates
from regulars.record.orders.sales import Span, sales_over_time

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ALL = everything()


@pytest.fixture
def store() -> Store:
    write_setting("shop.reporting_currency", "GBP", AT)
    brand = Brand.objects.create(name="b", from_name="b", from_address="b@shop.example")
    return Store.objects.create(code="uk", name="UK", brand=brand, currency="GBP")


def order(store: Store, number: str, currency: str, price: str, at: datetime, *refunds: RefundInput) -> None:
    person = PersonInput((IdentityInput(IdentityKind.STORE_CUSTOMER, "1", "uk"),), at, store.pk)
    given = OrderInput(number, at, currency, (LineInput("A", "Mug", 1, Decimal(price)),), person, refunds=refunds)
    with transaction("api") as log:
        apply_orders([given], log, store_id=store.pk, at=at)


def rate(currency: str, on: date, worth: str, to: str = "GBP") -> Rate:
    return parse_rate(currency, to, on.isoformat(), worth, "a bank")


def follow() -> None:
    """Does what the worker would."""
    for job in ProcrastinateJob.objects.filter(task_name=money.REFOLD, status="todo").order_by("id"):
        execute("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = %s", [job.pk])
        money.refold(job.args["task_id"], lambda: AT)
    assert verify_figures() == []


def spent() -> tuple[int, int, int]:
    found = CustomerFigures.objects.get()
    return found.spent_minor, found.refunded_minor, found.unconverted_count


def test_an_order_is_worth_what_the_rate_of_its_day_says(store: Store) -> None:
    order(store, "1", "GBP", "1.00", AT - 9 * DAY)
    order(store, "2", "EUR", "10.00", AT - 9 * DAY)
    order(store, "3", "EUR", "10.00", AT - 2 * DAY, RefundInput("R3", AT, "EUR", 500))
    assert spent() == (100, 0, 3)
    changed = money.set_rates([rate("EUR", (AT - 9 * DAY).date(), "0.8"), rate("EUR", AT.date(), "0.9")], ALL, AT)
    assert changed == 2
    assert spent() == (100, 0, 3)  # until the worker has been there
    follow()
    assert spent() == (100 + 800 + 800, 450, 0)


def test_a_tie_is_rounded_to_the_even_side_and_a_yen_has_no_pence(store: Store) -> None:
    money.set_rates([rate("EUR", date(2026, 1, 1), "0.5"), rate("JPY", date(2026, 1, 1), "0.005")], ALL, AT)
    order(store, "1", "EUR", "0.05", AT)  # 2.5 pence
    assert spent() == (2, 0, 0)
    order(store, "2", "EUR", "0.07", AT)  # 3.5 pence
    order(store, "3", "JPY", "1000", AT)
    assert spent() == (2 + 4 + 500, 0, 0)


def test_the_day_is_the_shops(store: Store) -> None:
    late = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)  # in Tokyo it is November
    order(store, "1", "EUR", "1.00", late)
    money.set_rates([rate("EUR", date(2026, 10, 1), "0.5"), rate("EUR", date(2026, 11, 1), "0.7")], ALL, AT)
    follow()
    assert spent() == (50, 0, 0)
    assert money.change_settings({"shop.time_zone": "Asia/Tokyo"}, ALL, AT) == ["shop.time_zone"]
    follow()
    assert spent() == (70, 0, 0)


def test_another_reporting_currency_takes_its_own_rates(store: Store) -> None:
    order(store, "1", "EUR", "10.00", AT)
    order(store, "2", "GBP", "1.00", AT)
    money.set_rates([rate("EUR", AT.date(), "0.8"), rate("GBP", AT.date(), "1.25", to="EUR")], ALL, AT)
    follow()
    assert spent() == (900, 0, 0)
    money.change_settings({"shop.reporting_currency": "EUR"}, ALL, AT)
    follow()
    assert spent() == (1125, 0, 0)
    assert set(StoreFigures.objects.values_list("currency", flat=True)) == {"EUR"}
    assert set(CustomerFigures.objects.values_list("currency", flat=True)) == {"EUR"}


def test_a_rate_that_goes_leaves_its_orders_out_again(store: Store) -> None:
    order(store, "1", "EUR", "10.00", AT)
    money.set_rates([rate("EUR", AT.date(), "0.8")], ALL, AT)
    follow()
    money.remove_rates([ExchangeRate.objects.get().pk], ALL, AT)
    follow()
    assert spent() == (0, 0, 1)
    assert count_unconverted(ALL) == 1


def test_what_has_no_rate_is_counted(store: Store) -> None:
    order(store, "1", "EUR", "10.00", AT - 9 * DAY)
    order(store, "2", "EUR", "10.00", AT)
    order(store, "3", "USD", "10.00", AT)
    order(store, "4", "GBP", "10.00", AT)
    money.set_rates([rate("EUR", AT.date(), "0.8")], ALL, AT)
    assert count_unconverted(ALL) == 2
    assert count_unconverted(Viewer(1, ALL.permissions, frozenset({store.pk + 1}))) == 0


def test_sales_and_products_are_in_the_reporting_currency(store: Store) -> None:
    order(store, "1", "EUR", "10.00", AT, RefundInput("R1", AT, "EUR", 200))
    order(store, "2", "GBP", "1.00", AT)
    order(store, "3", "USD", "7.00", AT)
    money.set_rates([rate("EUR", AT.date(), "0.8")], ALL, AT)
    span = Span(AT.date(), AT.replace(hour=0), AT.replace(hour=0) + DAY, "UTC", 1)
    total = sales_over_time(span, ALL).total
    assert (total.orders, total.ordered_minor, total.refunded_minor) == (3, 900, 160)
    [sold] = sales_of_products(None, AT - DAY, ALL).values()
    assert (sold.orders, sold.units, sold.total_minor) == (3, 3, 900)


def test_one_change_is_one_task_in_the_bell_one_entry_in_the_audit_and_two_events(store: Store) -> None:
    order(store, "1", "EUR", "10.00", AT)
    given = [rate("EUR", AT.date(), "0.8")]
    by = Viewer(7, ALL.permissions)
    money.set_rates(given, by, AT)
    follow()
    task = Task.objects.get()
    assert (task.state, task.done, task.total, task.staff_id) == ("done", 1, 1, 7)
    assert list(AuditEntry.objects.values_list("action", "actor")) == [("rates.set", "staff:7")]
    kinds = ["money.changed", "money.refolded"]
    assert (
        list(Event.objects.filter(kind__startswith="money.").order_by("position").values_list("kind", flat=True))
        == kinds
    )
    assert money.set_rates(given, by, AT) == 0  # the same again is nothing
    assert (Task.objects.count(), AuditEntry.objects.count()) == (1, 1)


def test_two_changes_before_the_worker_comes_are_one_piece_of_work(store: Store) -> None:
    order(store, "1", "EUR", "10.00", AT)
    money.set_rates([rate("EUR", AT.date(), "0.8")], ALL, AT)
    money.set_rates([rate("EUR", AT.date(), "0.9")], ALL, AT)
    assert ProcrastinateJob.objects.filter(task_name=money.REFOLD).count() == 1
    follow()
    assert spent() == (900, 0, 0)
    assert {task.state for task in Task.objects.all()} == {"done"}


def test_refolding_again_changes_nothing(store: Store) -> None:
    order(store, "1", "EUR", "10.00", AT)
    money.set_rates([rate("EUR", AT.date(), "0.8")], ALL, AT)
    follow()
    before = list(StoreFigures.objects.values()), list(CustomerFigures.objects.values())
    call_command("refold")
    assert (list(StoreFigures.objects.values()), list(CustomerFigures.objects.values())) == before
    call_command("verify")


def test_a_file_of_our_own_layout(store: Store) -> None:
    text = "from,to,date,rate\nEUR,GBP,2026-01-01,0.85\nusd, gbp ,2026-01-02,0.75\n"
    assert money.import_rates(text.encode(), "rates.csv", ALL, AT) == (2, 2)
    assert list(ExchangeRate.objects.order_by("on").values_list("currency", "rate", "source")) == [
        ("EUR", Decimal("0.85"), "rates.csv"),
        ("USD", Decimal("0.75"), "rates.csv"),
    ]


@pytest.mark.parametrize("day", ["2026-11-20", "20 November 2026"])
def test_the_european_central_banks_file_is_crossed_over_the_euro(store: Store, day: str) -> None:
    order(store, "1", "USD", "10.00", AT)
    order(store, "2", "EUR", "10.00", AT)
    text = f"Date, USD, JPY, GBP, CYP, \n{day}, 1.25, 160.5, 0.8, N/A, \n"
    assert read_rates(text.encode(), "", "GBP", money.currencies_in_use()) == [
        Rate("EUR", "GBP", date(2026, 11, 20), Decimal("0.8"), "European Central Bank"),
        Rate("USD", "GBP", date(2026, 11, 20), Decimal("0.64"), "European Central Bank"),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "The first line must name the columns from, to, date and rate"),
        (b"a,b\n1,2\n", "The first line must name the columns from, to, date and rate"),
        (b"from,to,date,rate\n", "There is no rate in this file"),
        (b"from,to,date,rate\nEUR,GBP,2026-01-01,0.85\nEUR,GBP,x,1\n", "Line 3: 'x' is not a day"),
        (b"from,to,date,rate\nEUR,GBP,2026-01-01,-1\n", "Line 2: '-1' is not a rate"),
        (b"from,to,date,rate\nEUR,GBP,2026-01-01,nan\n", "Line 2: 'nan' is not a rate"),
        (b"from,to,date,rate\nEUR,GBP,2026-01-01,\n", "Line 2: '' is not a rate"),
        (b"from,to,date,rate\nEUR,GBP\n", "Line 2: '' is not a day"),
        (b"from,to,date,rate\nXQX,GBP,2026-01-01,1\n", "Line 2: 'XQX' is not a currency"),
        (b"from,to,date,rate\nGBP,GBP,2026-01-01,1\n", "Line 2: A rate leads from one currency to another"),
        (b"\x89PNG\x00\xff", "This is not a table"),
        (b"Date,USD\n2026-01-01,1.1,x\nsoon,1.1\n", "Line 3: 'soon' is not a day"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence_and_leaves_nothing(store: Store, text: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        money.import_rates(text, "x", ALL, AT)
    assert refused.value.sentence.startswith(sentence)
    assert not ExchangeRate.objects.exists()
    assert not Task.objects.exists()


def test_the_commands(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("from,to,date,rate\nEUR,GBP,2026-01-01,0.85\n")
    call_command("rates", "import", str(file))
    call_command("rates", "set", "USD", "0.75", "--on", "2026-01-02", "--source", "me")
    call_command("rates", "list")
    assert capsys.readouterr().out.splitlines() == [
        "1 rates, 1 of them new or changed.",
        "Set.",
        "2026-01-02  1 USD = 0.75 GBP  me",
        "2026-01-01  1 EUR = 0.85 GBP  rates.csv",
    ]
    with pytest.raises(CommandError, match="'abc' is not a rate"):
        call_command("rates", "set", "USD", "abc")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("rates", "import", str(tmp_path / "none.csv"))
    assert ExchangeRate.objects.count() == 2
    assert read_setting("shop.reporting_currency") == "GBP"
    with pytest.raises(BadRate):
        parse_rate("USD", "GBP", "2026-13-01", "1")
