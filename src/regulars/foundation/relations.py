"""Relations: what a condition may ask of customers. Each module declares its own in its ``facts.py``.

A relation says how the rows of one table of the warehouse speak of people: which column is the moment, which rows count, and which fields
may be compared or summed. Conditions (``insight.conditions``) measure rows in a window and compare the measure, so that 'ordered twice in
30 days', 'lives in Germany', 'is in this segment' and 'opened a mail' are one kind of question. Every engine reads the same declaration.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from regulars.foundation.registry import Registry


class FieldType(StrEnum):
    """Decides which comparisons and measures a field has."""

    TEXT = "text"
    NUMBER = "number"  # decimal, six places
    MONEY = "money"  # integer minor units of the reporting currency; null where the day has no rate
    MOMENT = "moment"  # UTC
    DATE = "date"  # a day of the calendar without a zone: days since 1970-01-01
    FLAG = "flag"
    LIST = "list"  # of texts, in one column: each item between two LIST_MARKs
    TOKEN = "token"  # noqa: S105  personal: a LIST of keyed tokens; the word is given in clear and stored sealed


LIST_MARK = "\x1f"
EVERY_KIND = "*"


@dataclass(frozen=True)
class Field:
    """One column that conditions may use. ``meaning`` is what staff read: lower case, without an article.

    ``names``: what its values are called, by value, where these are keys; the builder completes those that it has. ``token``, of a TOKEN:
    what stands in the column for a word, or for a begin of one (True); raises InvalidInput for what can be none.
    """

    column: str
    type: FieldType
    meaning: str
    is_listed: bool = False  # few values: the builder completes them from the data
    names: Callable[[], Mapping[str, str]] | None = None
    token: Callable[[str, bool], str] | None = None


class RelationKind(StrEnum):
    """LOCAL rows depend on one customer; SNAPSHOT rows are published together for all (scores, clusters, predictions)."""

    LOCAL = "local"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True)
class Relation:
    """Rows of ``table`` (a warehouse table with a ``profile_id``) that speak of people.

    ``at`` is the column of the moment: a row counts from then on, and windows are about it. ``until``: the column of the moment from
    which it counts no more (null: it still does). ``counts``: a boolean column; rows where it is false are left out. ``latest_by``: of
    rows equal in these columns only the one with the latest ``at`` counts (of those, the one with the greatest key of the table).
    ``rises_with``: kinds of events after which its rows of that event's customer may be others; EVERY_KIND where its rows are events
    themselves, of those kinds that a filter on the field ``kind`` lets through. ``changes_with``: kinds of events about nobody in
    particular after which anybody's rows may be others.
    """

    name: str
    meaning: str  # 'orders that count', as in: has more than two ...
    table: str
    at: str
    fields: Mapping[str, Field]
    rises_with: tuple[str, ...]
    kind: RelationKind = RelationKind.LOCAL
    until: str = ""
    counts: str = ""
    latest_by: tuple[str, ...] = ()
    changes_with: tuple[str, ...] = ()


RELATIONS: Registry[Relation] = Registry("relation")


def register(relation: Relation) -> Relation:
    """Called from a module's ``facts.py``."""
    return RELATIONS.register(relation.name, relation)


@dataclass(frozen=True)
class ZoneSource:
    """A column that tells in which time zone (IANA name) people live, from the moment ``at`` on; the latest row counts.

    ``table`` is a warehouse table with a ``profile_id``. ``behind``: a boolean column; rows where it is true count only for people without
    others. ``rises_with``: kinds of events after which it may be another zone.
    """

    name: str
    rank: int  # the source with the least one is asked first; the others for people of whom it says nothing
    table: str
    column: str
    at: str
    rises_with: tuple[str, ...]
    behind: str = ""


ZONE_SOURCES: Registry[ZoneSource] = Registry("source of time zones")


def register_zones(source: ZoneSource) -> ZoneSource:
    """Called from a module's ``facts.py``."""
    return ZONE_SOURCES.register(source.name, source)
