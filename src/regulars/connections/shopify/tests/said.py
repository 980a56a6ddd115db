"""What the shop of ``state`` says of Ada, in the record's words."""

from datetime import UTC, datetime

from regulars.record.customers.contacts import ContactCard
from regulars.record.customers.inputs import IdentityInput
from regulars.record.customers.models import IdentityKind

CREATED = datetime(2026, 3, 1, 10, tzinfo=UTC)
CHANGED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
OWN = IdentityInput(IdentityKind.STORE_CUSTOMER, "7001", "tea")
ADA = (
    OWN,
    IdentityInput(IdentityKind.EMAIL, "ada.marsh@ringstrasse.net"),
    IdentityInput(IdentityKind.PHONE, "+4930123456"),
)
CARD = ContactCard(
    first_name="Ada",
    last_name="Marsh",
    email="ada.marsh@ringstrasse.net",
    phone="+4930123456",
    company="Marsh & Co",
    street="Ringstrasse 5, Hof",
    city="Berlin",
    postal_code="10115",
    region="Berlin",
    country="DE",
)
