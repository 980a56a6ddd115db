"""May we write to them? The fold of the ledgers, by address."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from regulars.foundation.shop.models import Brand
from regulars.foundation.vault.keys import key_ring
from regulars.record.consent import operations
from regulars.record.consent.inputs import ConsentInput, SuppressionInput
from regulars.record.consent.models import Channel, ConsentEntry, ConsentState, SuppressionEntry
from regulars.record.consent.queries import Addressee, list_verdicts
from regulars.record.customers import queries
from regulars.record.customers.identifiers import address_token
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations import ensure_profiles
from regulars.record.events.log import transaction
from regulars.record.events.models import Event

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
ANN = "ann@shop.example"


@pytest.fixture
def brand() -> int:
    return Brand.objects.create(name="b", from_name="b", from_address="b@shop.example").id


@pytest.fixture
def ann() -> int:
    with transaction("import") as log:
        return ensure_profiles([PersonInput((IdentityInput(IdentityKind.EMAIL, ANN),), AT)], log)[0]


def say(brand: int, state: ConsentState, at: datetime = AT, address: str = ANN) -> int:
    with transaction("import") as log:
        return operations.record_consents(
            [ConsentInput(address, state, at, "checkout", proof="box ticked")], brand, log
        )


def verdict(brand: int, ann: int, is_marketing: bool = True) -> str:
    addressee = Addressee(address_token(key_ring(), ANN), (ann,))
    return list_verdicts([addressee], brand, Channel.EMAIL, "marketing", is_marketing=is_marketing)[addressee].code


def test_silence_is_no_yes_and_the_latest_word_counts(brand: int, ann: int) -> None:
    assert verdict(brand, ann) == "no-consent"
    assert say(brand, ConsentState.GRANTED) == 1
    assert verdict(brand, ann) == "consent"
    assert say(brand, ConsentState.DENIED, AT + timedelta(days=1)) == 1
    assert verdict(brand, ann) == "denied"
    assert say(brand, ConsentState.GRANTED, AT - timedelta(days=1)) == 1  # older news arrive late
    assert verdict(brand, ann) == "denied"


def test_an_unproved_import_outweighs_nothing(brand: int, ann: int) -> None:
    say(brand, ConsentState.UNKNOWN)
    assert verdict(brand, ann) == "no-consent"
    say(brand, ConsentState.GRANTED, AT - timedelta(days=5))
    assert verdict(brand, ann) == "consent"


def test_the_same_words_again_are_not_written_twice(brand: int, ann: int) -> None:
    say(brand, ConsentState.GRANTED)
    events = Event.objects.count()
    assert say(brand, ConsentState.GRANTED, address="ANN@shop.example") == 0
    assert (ConsentEntry.objects.count(), Event.objects.count()) == (1, events)


def test_consent_holds_for_its_brand_only(brand: int, ann: int) -> None:
    say(brand, ConsentState.GRANTED)
    other = Brand.objects.create(name="o", from_name="o", from_address="o@shop.example").id
    assert verdict(other, ann) == "no-consent"


def test_suppression_stops_everything_until_it_is_lifted(brand: int, ann: int) -> None:
    say(brand, ConsentState.GRANTED)
    for is_on, code in ((True, "suppressed"), (False, "consent")):
        with transaction("import") as log:
            operations.record_suppressions([SuppressionInput(ANN, "complaint", AT, is_on=is_on)] * 2, log)
        assert verdict(brand, ann) == code
        assert verdict(brand, ann, is_marketing=False) == ("suppressed" if is_on else "transactional")
    assert SuppressionEntry.objects.count() == 2


def test_leave_alone(brand: int, ann: int) -> None:
    say(brand, ConsentState.GRANTED)
    customer = queries.customer_of(ann)
    assert operations.leave_alone([customer], True, 1, AT) == 1
    assert operations.leave_alone([customer], True, 1, AT) == 0
    assert verdict(brand, ann, is_marketing=False) == "do-not-contact"
    operations.leave_alone([customer], False, 1, AT)
    assert verdict(brand, ann) == "consent"


def test_unsubscribing_twice_is_once(brand: int, ann: int) -> None:
    say(brand, ConsentState.GRANTED)
    token = address_token(key_ring(), ANN)
    assert operations.unsubscribe(token, brand, "marketing", ann, "one-click", AT) is True
    assert operations.unsubscribe(token, brand, "marketing", ann, "one-click", AT) is False
    assert verdict(brand, ann) == "denied"


def test_a_second_reason_outlives_the_undoing_of_the_first(brand: int, ann: int) -> None:
    say(brand, ConsentState.GRANTED)
    with transaction("import") as first:
        operations.record_suppressions([SuppressionInput(ANN, "import", AT)], first)
    with transaction("system") as log:
        assert operations.record_suppressions([SuppressionInput(ANN, "complaint", AT)] * 2, log) == 1
        assert operations.record_suppressions([SuppressionInput(ANN, "import", AT)], log) == 0
    SuppressionEntry.objects.filter(batch_id=first.batch_id).delete()  # as an undo does
    assert verdict(brand, ann, is_marketing=False) == "suppressed"


def test_a_change_says_whose_word_it_was_and_a_late_one_is_history(brand: int, ann: int) -> None:
    now = ConsentInput(ANN, ConsentState.DENIED, AT, "form", Channel.EMAIL, text="Yes, write to me", source="con_1")
    late = ConsentInput(ANN, ConsentState.GRANTED, AT - timedelta(days=1), "checkout", source="con_2")
    unproved = ConsentInput(ANN, ConsentState.UNKNOWN, AT + timedelta(days=1), "import")
    with transaction("import") as log:
        operations.record_consents([now], brand, log)
        operations.record_consents([late, unproved], brand, log)
    rows = Event.objects.filter(kind="consent.changed").order_by("position").values_list("is_history", "data")
    common = {"channel": "email", "topic": "marketing", "brand_id": brand}
    assert list(rows) == [
        (False, common | {"state": "denied", "method": "form", "source": "con_1"}),
        (True, common | {"state": "granted", "method": "checkout", "source": "con_2"}),
        (False, common | {"state": "unknown", "method": "import", "source": ""}),
    ]
    assert verdict(brand, ann) == "denied"
    entry = ConsentEntry.objects.get(source="con_1")
    assert entry.text_hash == hashlib.sha256(b"Yes, write to me").hexdigest()
