"""A workflow makes a code for each customer, the shop takes it, and only then the mail leaves with it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from regulars.foundation.shop.settings import write_setting
from regulars.foundation.work.loops import Stop
from regulars.messages.drive import drive
from regulars.messages.models import Message
from regulars.messages.operations import Draft, save_template
from regulars.messages.tests.sink import Sink
from regulars.record.coupons.makers import MAKERS, CannotMake, CodeRule, MakeLater
from regulars.record.coupons.models import Coupon, WantedCode
from regulars.record.coupons.operations.making import make_codes, new_code
from regulars.record.customers.queries import customer_of
from regulars.record.events.models import Event
from regulars.workflows.definition import InvalidDefinition
from regulars.workflows.operations import save_version, switch_on
from regulars.workflows.tests.factories import AT, DAY, enter, make_people, make_shop

pytestmark = pytest.mark.django_db
BODY = "<mj-section><mj-column><mj-text>{{ coupon.code }} until {{ coupon.ends_on }}</mj-text></mj-column></mj-section>"
CODE = {"kind": "make_coupon", "percent": "10", "prefix": "BACK", "valid_for": {"days": 14}, "next": "mail"}


def definition(**code: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "name": "Codes",
        "trigger": {"kind": "segment.entered", "segment": "at-risk"},
        "start": "code",
        "nodes": {
            "code": {**CODE, **code},
            "mail": {"kind": "send_mail", "template": "codes", "useful_for": {"days": 3}, "next": "end"},
            "end": {"kind": "exit", "reason": "reached the end"},
        },
    }


class FakeMaker:
    """A shop that takes codes, after it has refused as often as it is told to."""

    def __init__(self) -> None:
        self.rules: dict[str, CodeRule] = {}
        self.calls = 0
        self.problems: list[Exception] = []

    def can_make(self, store_id: int) -> bool:
        return True

    def make(self, store_id: int, rule: CodeRule, at: datetime) -> str:
        self.calls += 1
        if self.problems:
            raise self.problems.pop()
        self.rules[rule.code] = rule
        return f"key-{rule.code}"


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch) -> FakeMaker:
    fake = FakeMaker()
    monkeypatch.setattr(MAKERS, "items", lambda: [("fake", fake)])
    return fake


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with Sink() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        settings.SENDING, settings.COOL_OFF = True, timedelta(0)
        write_setting("sending.enabled_at", (AT - 30 * DAY).isoformat(), AT)
        yield sink


def begin(count: int = 2) -> list[int]:
    people = make_people(count, make_shop())
    save_template("codes", "Codes", Draft("A code", "", BODY), None, AT)
    switch_on(save_version("codes", definition(), None, AT).workflow, AT)
    enter(people, AT)
    return [profile for _, profile in people]


def text_of(mail: Any) -> str:
    [part] = [part for part in mail.walk() if part.get_content_type() == "text/plain"]
    return str(part.get_payload(decode=True).decode())


def test_each_gets_a_code_of_their_own_once_the_shop_has_it(maker: FakeMaker, sink: Sink) -> None:
    profiles = begin()
    drive(AT)
    drive(AT)
    assert (WantedCode.objects.count(), Message.objects.count(), len(sink.mails)) == (2, 2, 0)
    make_codes(Stop(), AT)
    make_codes(Stop(), AT + timedelta(hours=1))
    assert maker.calls == 2
    drive(AT + timedelta(minutes=1))
    codes = dict(WantedCode.objects.values_list("profile_id", "code"))
    assert len(set(codes.values())) == 2
    texts = [text_of(mail) for mail in sink.mails]
    assert len(texts) == 2
    assert sorted(code for code in codes.values() for text in texts if code in text) == sorted(codes.values())
    ends = AT + 14 * DAY
    assert all(f"until {ends.day} {ends:%B %Y}" in text for text in texts)
    rule = maker.rules[codes[profiles[0]]]
    assert (rule.percent, rule.usage_limit, rule.ends_at, rule.email) == (
        Decimal(10),
        1,
        AT + 14 * DAY,
        "person1@people.example",
    )
    coupon = Coupon.objects.get(code=codes[profiles[0]])
    assert (coupon.kind, coupon.amount, coupon.profile_id) == ("percent", Decimal(10), profiles[0])
    assert coupon.external_id == f"key-{coupon.code}"
    created = Event.objects.filter(kind="coupon.created")
    assert set(created.values_list("profile_id", flat=True)) == set(profiles)
    assert customer_of(profiles[0])


def test_a_shop_that_is_away_is_asked_again_and_one_that_refuses_is_not(maker: FakeMaker, sink: Sink) -> None:
    begin(1)
    drive(AT)
    maker.problems = [CannotMake("Too many codes."), MakeLater("Away.", 60)]
    make_codes(Stop(), AT)
    row = WantedCode.objects.get()
    assert (row.state, row.problem, row.next_at) == ("waiting", "Away.", AT + timedelta(seconds=60))
    make_codes(Stop(), AT + timedelta(seconds=59))
    assert maker.calls == 1
    make_codes(Stop(), AT + timedelta(seconds=60))
    row.refresh_from_db()
    assert (row.state, row.problem, Coupon.objects.count()) == ("failed", "Too many codes.", 0)
    drive(AT + DAY)
    assert not sink.mails
    drive(AT + 4 * DAY)
    assert [m.state for m in Message.objects.all()] == ["skipped"]
    assert not sink.mails


@pytest.mark.parametrize(
    "wrong",
    [
        {"percent": "101"},
        {"percent": 10},
        {"amount": "5"},
        {"prefix": "back"},
        {"valid_for": {"days": 0}},
        {"minimum": "20"},
        {"percent": "NaN"},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, Any]) -> None:
    make_shop()
    save_template("codes", "Codes", Draft("A code", "", BODY), None, AT)
    with pytest.raises(InvalidDefinition):
        save_version("codes", definition(**wrong), None, AT)


def test_codes_cannot_be_guessed() -> None:
    codes = {new_code("BACK") for _ in range(1000)}
    assert len(codes) == 1000
    assert {len(code) for code in codes} == {len("BACK-") + 12}
