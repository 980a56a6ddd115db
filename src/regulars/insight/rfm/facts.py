"""RFM as facts: scored against published cut points, with the snapshot that each value came from."""

from collections.abc import Callable, Mapping, Sequence

from regulars.foundation.facts import FACTS, Answer, Fact, FactKind, Moment, Question, Value
from regulars.foundation.relations import Field, FieldType, Relation, RelationKind, register
from regulars.insight.rfm import queries
from regulars.insight.rfm.queries import Score
from regulars.insight.rfm.words import names_by_key


def _read(value: Callable[[Score], Value]) -> Callable[[Sequence[int], Question, Moment], Mapping[int, Answer]]:
    def read(customer_ids: Sequence[int], question: Question, moment: Moment) -> Mapping[int, Answer]:
        scores = queries.scores_at(customer_ids, moment.at, moment.known_at)
        return {c: Answer(value(s), f"RFM snapshot {s.snapshot_id}", s.as_of) for c, s in scores.items()}

    return read


def _offer(name: str, meaning: str, value: Callable[[Score], Value]) -> None:
    FACTS.register(name, Fact(name, meaning, FactKind.SNAPSHOT, {}, _read(value)))


_offer("rfm.segment", "Which of the eleven RFM segments the customer is in", lambda s: s.segment.value)
_offer("rfm.recency_score", "Recency score, from 1 (long ago) to the scale (just now)", lambda s: s.r)
_offer("rfm.frequency_score", "Frequency score, from 1 (seldom) to the scale (often)", lambda s: s.f)
_offer("rfm.monetary_score", "Monetary score, from 1 (little) to the scale (much)", lambda s: s.m)
_offer("rfm.recency_days", "Whole days since the last order", lambda s: s.recency_days)
_offer("rfm.frequency", "Orders so far", lambda s: s.frequency)
_offer(
    "rfm.monetary_minor", "Orders less refunds, in minor units of the reporting currency", lambda s: s.monetary_minor
)

RFM = register(
    Relation(
        name="rfm",
        meaning="RFM scores",
        table="rfm",
        at="at",
        until="until",
        kind=RelationKind.SNAPSHOT,
        fields={
            "segment": Field("segment", FieldType.TEXT, "RFM segment", is_listed=True, names=names_by_key),
            "recency": Field("r", FieldType.NUMBER, "recency score"),
            "frequency": Field("f", FieldType.NUMBER, "frequency score"),
            "monetary": Field("m", FieldType.NUMBER, "monetary score"),
            "recency_days": Field("recency_days", FieldType.NUMBER, "days since the last order"),
            "orders": Field("frequency", FieldType.NUMBER, "orders"),
            "spent": Field("monetary", FieldType.MONEY, "spent, less refunds"),
        },
        rises_with=(),
    )
)
