"""What may become of a property of a shop's own event once staff declared it: its field, and the values that fit its type. Pure."""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from regulars.foundation.card_numbers import mask_card_numbers

OWN_KINDS = ("tracked.event", "custom.recorded")  # told by a tracker, told by the API
LONGEST_TEXT = 200  # of what may stand in clear
LONGEST_FIELD = 55  # PostgreSQL's names have 63
_LARGEST = Decimal(10) ** 12
_PLACES = Decimal("0.000001")
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,6})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_MOST_BITS = 300  # of a whole number, far above what fits: writing a longer one out takes its time
_PHONE = re.compile(r"\+?[\d ()./-]{7,}", re.ASCII)  # digits that people group


class PropertyType(StrEnum):
    """What a declared property is; a value that cannot be one without loss is left out."""

    TEXT = "text"
    NUMBER = "number"  # at most 12 digits before the point and 6 after it
    FLAG = "flag"
    DAY = "day"
    MOMENT = "moment"  # with its zone


@dataclass(frozen=True)
class Declared:
    """``field`` is what conditions and the warehouse's column call it, for ever: no other declaration gets it."""

    id: int
    event: str
    name: str
    type: PropertyType
    field: str


ByEvent = Mapping[str, Sequence[Declared]]


def values_of(declared: ByEvent, event: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The declared values of one event by the declaration's number, as they stand in clear in the event's ``data``."""
    found = ((str(one.id), fitted(properties.get(one.name), one.type)) for one in declared.get(event, ()))
    return {key: value for key, value in found if value is not None}


def fitted(value: Any, type_: PropertyType) -> str | bool | None:
    """The value in the one way in which it is written (numbers as text, so that no engine rounds them); None where it does not fit."""
    return _FITS[type_](value) if value is not None else None


def type_seen(value: Any) -> PropertyType | None:
    """The narrowest type that a value fits; None for what can be declared as none."""
    order = (PropertyType.FLAG, PropertyType.NUMBER, PropertyType.DAY, PropertyType.MOMENT, PropertyType.TEXT)
    return next((type_ for type_ in order if fitted(value, type_) is not None), None)


def _written(value: Any) -> str | None:
    """A text or number as it is written; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return None
    return str(value).strip()


def _as_text(value: Any) -> str | None:
    """A short text in which nobody is addressed, called or paid by: no @, no phone or card number, no control characters."""
    text = _written(value)
    if not text or len(text) > LONGEST_TEXT or "@" in text or not text.isprintable():
        return None
    is_called = isinstance(value, str) and _PHONE.fullmatch(text) and not _DAY.match(text)
    return None if is_called or mask_card_numbers(text) != text else text


def _as_number(value: Any) -> str | None:
    text = _written(value)
    if text is None or (isinstance(value, str) and not _NUMBER.fullmatch(text)):
        return None
    try:
        number = Decimal(text)
        fits = number.is_finite() and -_LARGEST < number < _LARGEST and number == number.quantize(_PLACES)
    except InvalidOperation:
        return None
    return f"{number.normalize():f}" if fits else None


def _as_flag(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def _as_day(value: Any) -> str | None:
    text = value.strip() if isinstance(value, str) else ""
    try:
        return date.fromisoformat(text).isoformat() if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _as_moment(value: Any) -> str | None:
    text = value.strip() if isinstance(value, str) else ""
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC) if _MOMENT.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None
    return moment.isoformat() if moment else None


_FITS: Mapping[PropertyType, Callable[[Any], str | bool | None]] = {
    PropertyType.TEXT: _as_text,
    PropertyType.NUMBER: _as_number,
    PropertyType.FLAG: _as_flag,
    PropertyType.DAY: _as_day,
    PropertyType.MOMENT: _as_moment,
}


def field_name(event: str, name: str, taken: Collection[str]) -> str:
    """``p_quiz_finished_score``: letters, digits and lines only, and none of those that are taken."""
    plain = unicodedata.normalize("NFKD", f"{event} {name}".replace("ß", "ss")).encode("ascii", "ignore").decode()
    base = f"p_{'_'.join(re.findall('[a-z0-9]+', plain.lower())) or 'property'}"[:LONGEST_FIELD].rstrip("_")
    numbered = (f"{base}_{number}" for number in range(2, len(taken) + 3))
    return next(one for one in (base, *numbered) if one not in taken)
