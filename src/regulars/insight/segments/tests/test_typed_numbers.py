"""Numbers as staff type them: those of a billion digits are never written out."""

import pytest

from regulars.foundation.relations import FieldType
from regulars.insight.segments.building.comparisons import Figure, Scale, read_comparison, show_comparison

_EUROS = Figure(FieldType.MONEY, Scale(2, "EUR"))


@pytest.mark.parametrize("typed", ["1e999999999", "-1e999999999", "1e-999999999", "1e16", "NaN"])
def test_a_number_far_from_all_others_stays_as_it_was_typed(typed: str) -> None:
    read = read_comparison({"op": "ge", "value": typed}, _EUROS)
    assert read == {"op": "ge", "value": typed}
    assert show_comparison(read, _EUROS, "").values == (typed,)


def test_other_numbers_are_minor_units() -> None:
    assert read_comparison({"op": "ge", "value": "12,5"}, _EUROS) == {"op": "ge", "value": 1250}
    assert show_comparison({"op": "ge", "value": 1250}, _EUROS, "").values == ("12.5",)
