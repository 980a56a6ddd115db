"""Membership as a fact, from the ledger: who was in a segment at a moment, and by which entry."""

from collections.abc import Mapping, Sequence

from regulars.foundation.facts import FACTS, Answer, Fact, FactKind, Moment, Question
from regulars.insight.segments import queries


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
