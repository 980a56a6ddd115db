"""The privacy class of every field, and who exports and erases what.

Numbers, amounts, dates, booleans, ids and references are not personal by their type. Every text, JSON, binary or array
field of every
model must say what it holds, in ``privacy = {"field": PrivacyClass....}`` on the model;
``tests/test_privacy_classes.py`` walks them all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from regulars.foundation.registry import Registry


class PrivacyClass(StrEnum):
    """What a field may hold."""

    CLEAR = "clear"  # not personal: codes, states, names of products, country, language, mail domain
    SEALED = "sealed"  # personal, encrypted under the subject's key
    TOKEN = "token"  # noqa: S105  keyed hash of something personal: findable, not readable
    STAFF = "staff"  # about a member of staff, who is a user and not a subject


@dataclass(frozen=True)
class SubjectData:
    """How one table's share of a person is exported and erased.

    ``export(profile_ids)`` gives JSON-ready rows; ``erase(profile_ids, at)`` destroys or scrubs and returns how many
    rows it touched;
    ``keeps`` says what stays after an erasure, and why.
    """

    table: str
    export: Callable[[list[int]], list[dict[str, Any]]]
    erase: Callable[[list[int], datetime], int]
    keeps: str = ""


def keep(profile_ids: list[int], at: datetime) -> int:
    """For tables that hold nothing personal beside bare numbers: nothing is touched."""
    return 0


SUBJECT_DATA: Registry[SubjectData] = Registry("personal data of table")


_order: list[str] = []


def register(entry: SubjectData) -> SubjectData:
    """Called from a module's ``privacy.py`` for each table that points to a profile or customer, or to a row that
    does.
    """
    _order.append(entry.table)
    return SUBJECT_DATA.register(entry.table, entry)


def in_order_of_erasure() -> list[SubjectData]:
    """Upper floors first: they may still need what lies below them."""
    return [SUBJECT_DATA[table] for table in reversed(_order)]
