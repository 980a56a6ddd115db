"""Definitions of segments, read and checked. Pure."""

from dataclasses import dataclass
from typing import Any

from regulars.foundation.errors import InvalidInput
from regulars.insight.rfm.rules import RfmSegment


class InvalidDefinition(InvalidInput):
    """This definition of a segment cannot be used."""

    code = "invalid-segment"


@dataclass(frozen=True)
class InRfmSegment:
    """The newest RFM snapshot puts the customer into this one of the eleven."""

    segment: RfmSegment


Condition = InRfmSegment  # the leaves and groups of a condition language join here


def parse_definition(data: Any) -> Condition:
    """``{"rfm": {"segment": "champions"}}``. Raises InvalidDefinition."""
    if not isinstance(data, dict) or set(data) != {"rfm"} or not isinstance(data["rfm"], dict):
        raise InvalidDefinition('A segment is defined like {"rfm": {"segment": "champions"}}.')
    try:
        return InRfmSegment(RfmSegment(data["rfm"]["segment"]))
    except (KeyError, ValueError) as error:
        raise InvalidDefinition(f"There is no RFM segment '{data['rfm'].get('segment', '')}'.") from error


def definition_of(segment: RfmSegment) -> dict[str, Any]:
    return {"rfm": {"segment": segment.value}}
