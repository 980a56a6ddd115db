"""What is said of an address while whoever it leads to is being erased."""

import pytest

from regulars.foundation.audit.operations import SYSTEM
from regulars.foundation.shop.models import Brand
from regulars.record.consent.inputs import ConsentInput
from regulars.record.consent.models import ConsentEntry, ConsentState
from regulars.record.consent.operations import record_consents
from regulars.record.customers.operations.erasure import erase_customer
from regulars.record.customers.queries import customer_of
from regulars.record.customers.tests.test_at_once import AT, ensure, mail, number, while_open
from regulars.record.events.log import transaction

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_consent_that_waits_for_the_erasure_stays_with_the_address_alone() -> None:
    profile = ensure(number("1"), mail("a@x.example"))
    customer, brand = customer_of(profile), Brand.objects.create(name="b", from_name="b", from_address="b@shop.example")
    said = ConsentInput("a@x.example", ConsentState.DENIED, AT, "form", proof="page footer")

    def write() -> int:
        with transaction("api") as log:
            return record_consents([said], brand.pk, log)

    assert while_open(lambda: erase_customer(customer, SYSTEM, AT), write) == [1]
    assert list(ConsentEntry.objects.values_list("profile_id", "proof")) == [(None, None)]
