"""Types of the API's fields: each bounded, so that what the schema lets through the database can hold."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field

from regulars.foundation.api.paging import clean
from regulars.foundation.card_numbers import mask_card_numbers
from regulars.foundation.money import CURRENCIES

EARLIEST, LATEST = 1900, 2200


def _sensible(value: datetime) -> datetime:
    if not EARLIEST <= value.year <= LATEST:
        raise ValueError(f"the year must be between {EARLIEST} and {LATEST}")
    return value


def _currency(value: str) -> str:
    if value not in CURRENCIES:
        raise ValueError("use an ISO 4217 code such as GBP or EUR")
    return value


Code = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(clean)]
Short = Annotated[str, Field(max_length=120), AfterValidator(clean)]
Text = Annotated[str, Field(max_length=2000), AfterValidator(clean), AfterValidator(mask_card_numbers)]
Long = Annotated[str, Field(max_length=10_000), AfterValidator(clean), AfterValidator(mask_card_numbers)]
Moment = Annotated[AwareDatetime, AfterValidator(_sensible)]
Currency = Annotated[str, Field(min_length=3, max_length=3), AfterValidator(_currency)]
Country = Annotated[str, Field(pattern=r"^([A-Z]{2})?$")]
Minor = Annotated[int, Field(ge=-(10**14), le=10**14)]
Quantity = Annotated[int, Field(ge=-100_000, le=100_000)]
Price = Annotated[Decimal, Field(ge=Decimal(-(10**7)), le=Decimal(10**7), decimal_places=6, max_digits=18)]


class Strict(Schema):
    """A body: what it does not know it refuses, so that a mistyped field is not lost in silence."""

    model_config = ConfigDict(extra="forbid")
