"""Segments that a person was in: the ledger stays, so that past counts stay as they were. A word of a definition that nobody else had is
forgotten.
"""

from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet

from regulars.foundation.privacy import SubjectData, keep, register
from regulars.foundation.subjects import exported
from regulars.insight.conditions.hiding import forget_words
from regulars.insight.segments.models import (
    Deviation,
    Membership,
    Postponed,
    Segment,
    SegmentDraft,
    SegmentVersion,
    Wake,
)
from regulars.record.customers.queries import customers_of


def _of(model: type[Model], ids: list[int]) -> QuerySet[Any]:
    return model._default_manager.filter(customer__in=set(customers_of(ids).values())).order_by("pk")


register(
    SubjectData(
        "segments_membership",
        lambda ids: exported(_of(Membership, ids)),
        keep,
        "when a number was in a segment, and the figures that put it there",
    )
)


def _erase_wakes(ids: list[int], at: datetime) -> int:
    return int(_of(Wake, ids).delete()[0])


def _erase_postponed(ids: list[int], at: datetime) -> int:
    return int(_of(Postponed, ids).delete()[0])


register(SubjectData("segments_wake", lambda ids: exported(_of(Wake, ids)), _erase_wakes))
register(SubjectData("segments_postponed", lambda ids: exported(_of(Postponed, ids)), _erase_postponed))
register(
    SubjectData(
        "segments_deviation",
        lambda ids: exported(_of(Deviation, ids)),
        keep,
        "that a refresh mended a number's membership",
    )
)


def _register_words(model: type[Model], field: str, keeps: str) -> None:
    register(
        SubjectData(
            model._meta.db_table,
            lambda ids: [],
            lambda ids, at: forget_words(model._default_manager.all(), field, ids),
            keeps,
        )
    )


_register_words(Segment, "definition", "definitions of segments, without words that were this person's alone")
_register_words(
    SegmentVersion, "definition", "definitions that segments had, without words that were this person's alone"
)
_register_words(SegmentDraft, "states", "")
