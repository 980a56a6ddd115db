"""The small things of a payload, each refused where it is not what it should be. Raises ValueError."""

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any

from regulars.foundation.card_numbers import mask_card_numbers
from regulars.foundation.money import to_minor

Json = Mapping[str, Any]

_BEGINNING = re.compile(r"[\[{]")
_MOST_BEGINNINGS = 100  # that are tried: what is printed before an answer may hold some, too
_MOST = Decimal(10) ** 13
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # what no text of a database can hold


def parse(body: bytes) -> Any:
    """JSON as WordPress writes it; numbers with a point are decimals. NaN and infinity are none."""
    return json.loads(body, parse_float=Decimal, parse_constant=_refuse)


def _refuse(word: str) -> None:
    raise ValueError("not a number")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse)


def parse_answer(body: bytes) -> tuple[bytes, Any]:
    """An answer of the API without what plugins and PHP print before it (a byte order mark, notices, comments), and what it says."""
    try:
        return body, _DECODER.decode(body.decode())
    except ValueError:
        text = body.decode().rstrip()
        for found in islice(_BEGINNING.finditer(text), _MOST_BEGINNINGS):
            with suppress(ValueError, RecursionError):
                said, end = _DECODER.raw_decode(text, found.start())
                if end == len(text):
                    return text[found.start() :].encode(), said
        raise


def part(of: Any) -> Json:
    """An object; PHP writes an empty one as a list."""
    if of in (None, [], ""):
        return {}
    if not isinstance(of, Mapping):
        raise ValueError("not an object")
    return of


def parts(of: Any) -> list[Json]:
    """A list of objects; PHP writes one with gaps in its numbering as an object."""
    if isinstance(of, Mapping):
        of = list(of.values())
    if of in (None, ""):
        return []
    if not isinstance(of, Sequence) or isinstance(of, str):
        raise ValueError("not a list")
    return [part(one) for one in of]


def text(value: Any, most: int = 300) -> str:
    """Words without HTML's entities; '' where nothing is said."""
    if value is None or value is False:
        return ""
    if not isinstance(value, str | int | Decimal) or value is True:
        raise ValueError("not a text")
    words = html.unescape(str(value)).strip()
    if _UNSTORABLE.search(words):
        raise ValueError("a character that cannot be stored")
    return words[:most]


def words(value: Any, most: int = 300) -> str:
    """What people type in: numbers of payment cards are masked."""
    return mask_card_numbers(text(value, most))


def key(value: Any) -> str:
    """A number that WordPress gave, as a key; '' for 0, which means nothing."""
    number = whole(value)
    return str(number) if number > 0 else ""


def whole(value: Any) -> int:
    amount = decimal(value)
    if amount != amount.to_integral_value():
        raise ValueError("not a whole number")
    return int(amount)


def decimal(value: Any) -> Decimal:
    """A number, however it is written; 0 for none."""
    if value in (None, "", False):
        return Decimal(0)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("not a number")
    try:
        amount = Decimal(value)
    except InvalidOperation as error:
        raise ValueError("not a number") from error
    if not amount.is_finite() or abs(amount) >= _MOST or (amount and amount.adjusted() < -12):
        raise ValueError("a number out of bounds")
    return amount


def optional_decimal(value: Any) -> Decimal | None:
    """None where nothing is said, which is not 0."""
    return None if value in (None, "") else decimal(value)


def minor(value: Any, currency: str) -> int:
    return to_minor(decimal(value), currency)


def moment(of: Json, name: str) -> datetime:
    """A time that must be there."""
    found = find_moment(of, name)
    if found is None:
        raise ValueError("no time")
    return found


def changed_at(of: Json) -> datetime:
    """When a thing was last changed; plugins that write past WooCommerce leave that empty."""
    return find_moment(of, "date_modified") or moment(of, "date_created")


def find_moment(of: Json, name: str) -> datetime | None:
    """A ``date_…_gmt``: UTC, though it does not say so."""
    said = of.get(f"{name}_gmt")
    if said in (None, "", "0000-00-00T00:00:00"):
        return None
    if not isinstance(said, str):
        raise ValueError("not a time")
    at = datetime.fromisoformat(said)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def meta(of: Json, name: str) -> Any:
    """The newest value of a meta field, of whatever type a plugin gave it; None without one."""
    return next(reversed([one.get("value") for one in _metas(of) if one.get("key") == name]), None)


def _metas(of: Json) -> Iterator[Json]:
    for one in of.get("meta_data") or []:
        if isinstance(one, Mapping):
            yield one
