"""Rows of one person, as they are handed to them: sealed fields opened, keyed hashes left out."""

import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from regulars.foundation.privacy import PrivacyClass
from regulars.foundation.sealing import CannotOpen, Cell, unseal
from regulars.foundation.vault import keys

Row = TypeVar("Row", bound=Model)
_LEFT_OUT = {"BinaryField"}
Place = Callable[[Any, str], Cell]


def cell_of_row(row: Model, column: str) -> Cell:
    """Where a sealed value stands, unless its module says otherwise."""
    return Cell(row._meta.db_table, column, int(row.pk))


def exported(rows: QuerySet[Row], profile: str = "profile_id", place: Place = cell_of_row) -> list[dict[str, Any]]:
    """JSON-ready rows. ``profile`` leads from a row to the profile under whose key it is sealed; ``place`` to its
    cell.
    """
    of_row = attrgetter(profile)
    found = list(rows)
    plain = keys.find_keys({of_row(row) for row in found if of_row(row) is not None})
    return [_shown(row, plain.get(of_row(row)), place) for row in found]


def _shown(row: Model, key: bytes | None, place: Place) -> dict[str, Any]:
    classes: dict[str, PrivacyClass] = getattr(row, "privacy", {})
    shown: dict[str, Any] = {}
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        sort = classes.get(field.name)
        if sort == PrivacyClass.SEALED:
            shown[field.attname] = _opened(value, key, place(row, field.name))
        elif sort != PrivacyClass.TOKEN and field.get_internal_type() not in _LEFT_OUT:
            shown[field.attname] = _plain(value)
    return shown


def _opened(sealed: Any, key: bytes | None, cell: Cell) -> Any:
    if not sealed or key is None:
        return None
    try:
        text = unseal(key, bytes(sealed), cell).decode()
    except CannotOpen:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _plain(value: Any) -> Any:
    match value:
        case datetime() | date():
            return value.isoformat()
        case UUID() | Decimal():
            return str(value)
        case tuple() | list():
            return [_plain(part) for part in value]
    return value
