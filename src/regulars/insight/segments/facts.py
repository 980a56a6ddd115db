"""Membership as a fact, from the ledger: who was in a segment at a moment, and by which entry; and what conditions may ask of it."""

from collections.abc import Mapping, Sequence

from regulars.foundation.facts import FACTS, Answer, Fact, FactKind, Moment, Question
from regulars.foundation.relations import Field, FieldType, Relation, register
from regulars.insight.segments import events, queries


def _member(customer_ids: Sequence[int], question: Question, moment: Moment) -> Mapping[int, Answer]:
    found = queries.who_is_in(customer_ids, str(question.argument("segment")), moment.at, moment.known_at)
    missing = Answer(False, "no membership", moment.at)
    return {
        c: Answer(True, f"membership {found[c].id}", found[c].entered_at) if c in found else missing
        for c in customer_ids
    }


def _check(question: Question) -> str:
    key = question.argument("segment")
    if not isinstance(key, str) or not key:
        return 'needs the key of a segment, such as "segment": "at-risk"'
    return ""


FACTS.register(
    "segment.member",
    Fact(
        "segment.member",
        "Is in this segment",
        FactKind.SNAPSHOT,
        {"segment": "key of the segment, such as at-risk"},
        _member,
        _check,
    ),
)


_FIELDS = {
    "segment": Field("segment", FieldType.TEXT, "segment", is_listed=True, names=queries.names_of_segments),
    "is_initial": Field("is_initial", FieldType.FLAG, "was there when it was computed first"),
}
MEMBERSHIPS = register(
    Relation(
        name="memberships",
        meaning="segments that the person is in",
        table="memberships",
        at="entered_at",
        until="left_at",
        fields=_FIELDS,
        rises_with=(events.ENTERED, events.LEFT),
    )
)
ENTRIES = register(
    Relation(
        name="segment_entries",
        meaning="entries into segments",
        table="memberships",
        at="entered_at",
        fields=_FIELDS,
        rises_with=(events.ENTERED,),
    )
)
EXITS = register(
    Relation(
        name="segment_exits",
        meaning="exits from segments",
        table="memberships",
        at="left_at",
        counts="is_exit",
        fields=_FIELDS,
        rises_with=(events.LEFT,),
    )
)
