"""Conditions of the language of segments as a fact that steps ask for."""

from regulars.foundation.facts import FACTS, Fact, FactKind
from regulars.workflows import matching
from regulars.workflows.steps.condition import MATCHES

FACTS.register(
    MATCHES,
    Fact(
        MATCHES,
        "Matches these conditions",
        FactKind.LOCAL,
        {"condition": "a definition of the condition language, as JSON"},
        matching.read,
        matching.check,
    ),
)
