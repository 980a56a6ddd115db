"""Which values fit which type without loss, and what fields are called."""

from decimal import Decimal
from typing import Any

import pytest

from regulars.record.own_events.rules import Declared, PropertyType, field_name, fitted, type_seen, values_of

T, N, F, D, M = PropertyType


@pytest.mark.parametrize(
    ("type_", "value", "fits"),
    [
        (T, " boho ", "boho"),
        (T, 10, "10"),
        (T, Decimal("1.50"), "1.50"),
        (T, True, None),
        (T, "", None),
        (T, "x" * 200, "x" * 200),
        (T, "x" * 201, None),
        (T, "ada@shop.example", None),
        (T, "4111 1111 1111 1111", None),
        (T, "card 4111111111111111", None),
        (T, "+49 170 1234567", None),
        (T, "2026-11-22", "2026-11-22"),
        (T, "a\x1fb", None),
        (T, "a\nb", None),
        (T, ["boho"], None),
        (T, {"a": 1}, None),
        (T, 10**400, None),
        (N, 7, "7"),
        (N, "7", "7"),
        (N, " 19.90 ", "19.9"),
        (N, 0.1, "0.1"),
        (N, Decimal("100"), "100"),
        (N, "1e3", None),
        (N, "1,5", None),
        (N, "0.1234567", None),
        (N, 10**12, None),
        (N, 10**400, None),
        (N, float("nan"), None),
        (N, float("inf"), None),
        (N, True, None),
        (N, "١٢", None),
        (F, True, True),
        (F, "False", False),
        (F, 1, None),
        (F, "yes", None),
        (D, "2024-02-29", "2024-02-29"),
        (D, "2025-02-29", None),
        (D, "2024-02-29T10:00:00Z", None),
        (D, 20240229, None),
        (M, "2026-11-22T10:00:00+01:00", "2026-11-22T09:00:00+00:00"),
        (M, "2026-11-22T10:00:00.5Z", "2026-11-22T10:00:00.500000+00:00"),
        (M, "2026-11-22T10:00:00", None),
        (M, "0001-01-01T00:00:00+10:00", None),
        (M, "2026-11-22", None),
        (N, None, None),
    ],
)
def test_a_value_fits_without_loss_or_is_left_out(type_: PropertyType, value: Any, fits: str | bool | None) -> None:
    assert fitted(value, type_) == fits


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ("boho", T),
        ("7", N),
        (True, F),
        ("2026-11-22", D),
        ("2026-11-22 10:00Z", M),
        (["a"], None),
        ("a@b.example", None),
    ],
)
def test_the_narrowest_type_is_seen(value: Any, type_: PropertyType | None) -> None:
    assert type_seen(value) == type_


def test_fields_are_plain_and_nobody_elses() -> None:
    assert field_name("Quiz Finished", "score", set()) == "p_quiz_finished_score"
    assert field_name("Quiz Finished", "Größe (cm)", set()) == "p_quiz_finished_grosse_cm"
    assert field_name("答え", "点", set()) == "p_property"
    assert field_name("答え", "値", {"p_property"}) == "p_property_2"
    assert field_name("'; DROP TABLE x; --", '"$', set()) == "p_drop_table_x"
    longest = field_name("e" * 200, "n" * 200, {f"p_{'e' * 53}"})
    assert longest == f"p_{'e' * 53}_2"


def test_values_stand_by_the_number_of_their_declaration() -> None:
    declared = {
        "Quiz": [Declared(7, "Quiz", "score", N, "p_quiz_score"), Declared(9, "Quiz", "style", T, "p_quiz_style")]
    }
    assert values_of(declared, "Quiz", {"score": "12", "style": ["x"], "mail": "a@b.example"}) == {"7": "12"}
    assert values_of(declared, "Other", {"score": 12}) == {}
