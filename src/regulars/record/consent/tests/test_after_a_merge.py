"""Whoever becomes one person keeps every no that was said; a split gives each back what was theirs."""

from datetime import UTC, datetime, timedelta

import pytest

from regulars.foundation.shop.models import Brand
from regulars.foundation.vault.keys import key_ring
from regulars.record.consent.inputs import ConsentInput
from regulars.record.consent.models import Channel, ConsentState
from regulars.record.consent.operations import leave_alone, record_consents
from regulars.record.consent.queries import Addressee, list_verdicts
from regulars.record.customers.identifiers import address_token
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.customers.models import IdentityKind
from regulars.record.customers.operations import decide_link, ensure_profiles
from regulars.record.customers.queries import customer_of, profiles_of
from regulars.record.events.log import transaction

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def codes(profile: int, brand: Brand) -> list[str]:
    """Why each of two addresses may, or may not, be written to as this customer's."""
    profiles = tuple(profiles_of([customer_of(profile)])[customer_of(profile)])
    wanted = [Addressee(address_token(key_ring(), f"{name}@x.example"), profiles) for name in ("ann", "lee")]
    found = list_verdicts(wanted, brand.pk, Channel.EMAIL, "marketing", is_marketing=True)
    return [found[one].code for one in wanted]


def test_the_latest_no_of_each_address_and_do_not_contact_win() -> None:
    brand = Brand.objects.create(name="b", from_name="b", from_address="b@shop.example")
    mails = [IdentityInput(IdentityKind.EMAIL, f"{name}@x.example") for name in ("ann", "lee")]
    with transaction("import", "imp") as log:
        one, other = ensure_profiles([PersonInput((mail,), AT) for mail in mails], log)
        said = [
            ConsentInput("ann@x.example", ConsentState.GRANTED, AT, "checkout"),
            ConsentInput("ann@x.example", ConsentState.DENIED, AT + 2 * DAY, "form"),
            ConsentInput("ann@x.example", ConsentState.GRANTED, AT + DAY, "import"),
            ConsentInput("lee@x.example", ConsentState.GRANTED, AT, "checkout"),
        ]
        record_consents(said, brand.pk, log)
    assert codes(one, brand) == codes(other, brand) == ["denied", "consent"]
    decide_link(one, other, "must-link", 1, AT)
    assert codes(one, brand) == ["denied", "consent"]
    decide_link(one, other, "undecided", 1, AT)
    leave_alone([customer_of(other)], True, 1, AT)
    decide_link(one, other, "must-link", 1, AT)
    assert codes(one, brand) == ["do-not-contact", "do-not-contact"]
    decide_link(one, other, "cannot-link", 1, AT + DAY)
    assert codes(one, brand) == ["denied", "consent"]
    assert codes(other, brand) == ["do-not-contact", "do-not-contact"]
