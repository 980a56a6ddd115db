"""Personal words in conditions that are written as JSON: sealed before they are stored, opened for whoever may see contact data.

Stored definitions and drafts hold ``{"sealed": ...}`` and never a word in clear; the same word is always sealed alike, so that
definitions can be compared. A word that only one person had is forgotten with that person.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from django.db.models import Model, QuerySet

from regulars.foundation.errors import InvalidInput
from regulars.foundation.relations import RELATIONS, Field, FieldType, Relation
from regulars.foundation.sealing import CannotOpen
from regulars.foundation.vault.words import open_word, seal_word
from regulars.insight.conditions.language import Op
from regulars.record.customers.queries import words_of_nobody_else

_COUNTED = ("count", "gap")  # measures without a field


def hide(node: Any) -> Any:
    """The same JSON with its personal words sealed, whatever else is still wrong with it: what is compared with a field that nobody
    knows may be one.
    """
    return _changed(
        node, None, lambda value: {"sealed": seal_word(value)} if value and isinstance(value, str) else value
    )


def reveal(node: Any) -> Any:
    """The same JSON with the words in clear; those that were forgotten stay ``{"sealed": ""}``."""
    return _with_sealed(node, _revealed)


def forget(node: Any, sealed: Collection[str]) -> Any:
    """The same JSON without these words."""
    return _with_sealed(node, lambda one: {"sealed": ""} if one in sealed else {"sealed": one})


def forget_words(rows: "QuerySet[Any]", field: str, profile_ids: Collection[int]) -> int:
    """Forgets, in a JSON field of these rows, every word that nobody but these people had. How many rows that changed."""
    held = {row: node for row, node in rows.values_list("pk", field) if has_words(node)}
    words = [word for node in held.values() for word in _words_in(node)]
    alone = words_of_nobody_else(profile_ids, {token for token, _ in words})
    sealed = {one for token, one in words if token in alone}
    changed = {row: forget(node, sealed) for row, node in held.items()}
    changed = {row: node for row, node in changed.items() if node != held[row]}
    model: type[Model] = rows.model
    for row, node in changed.items():
        model._default_manager.filter(pk=row).update(**{field: node})
    return len(changed)


def has_words(node: Any) -> bool:
    """Whether any personal word stands in it, sealed."""
    return next(_sealed_in(node), None) is not None


def _revealed(sealed: str) -> Any:
    with suppress(CannotOpen):
        return open_word(sealed)
    return {"sealed": sealed}


def _changed(node: Any, relation: Relation | None, change: Callable[[Any], Any]) -> Any:
    """With every value changed that is compared with a personal field, or with one that nobody knows."""
    if isinstance(node, list):
        return [_changed(part, relation, change) for part in node]
    if not isinstance(node, dict):
        return node
    relation = _relation(node, relation)
    is_personal = "value" in node and _may_be_personal(node, relation)
    return {name: _each(part, change) if is_personal and name == "value" else _changed(part, relation, change)
            for name, part in node.items()}  # fmt: skip


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    return [change(one) for one in value] if isinstance(value, list) else change(value)


def _relation(node: Mapping[str, Any], around: Relation | None) -> Relation | None:
    of = node.get("of")
    return around if of is None else RELATIONS.get(of) if isinstance(of, str) else None


def _name(node: Mapping[str, Any]) -> Any:
    """Of the field that a comparison speaks of, in a filter or a measure."""
    measure = node.get("measure")
    return node.get("field") or (next(iter(measure.values()), None) if isinstance(measure, dict) else measure)


def _field(node: Mapping[str, Any], relation: Relation | None) -> Field | None:
    name = _name(node)
    return relation.fields.get(name) if relation and isinstance(name, str) else None


def _may_be_personal(node: Mapping[str, Any], relation: Relation | None) -> bool:
    field = _field(node, relation)
    if field:
        return field.type is FieldType.TOKEN
    return _name(node) != "at" and ("field" in node or node.get("measure", "count") not in _COUNTED)


def _with_sealed(node: Any, change: Callable[[str], Any]) -> Any:
    if isinstance(node, list):
        return [_with_sealed(part, change) for part in node]
    if not isinstance(node, dict):
        return node
    if set(node) == {"sealed"} and isinstance(node["sealed"], str) and node["sealed"]:
        return change(node["sealed"])
    return {name: _with_sealed(part, change) for name, part in node.items()}


def _sealed_in(node: Any) -> Iterator[str]:
    found: list[str] = []
    _with_sealed(node, found.append)
    yield from found


def _words_in(node: Any, relation: Relation | None = None) -> Iterable[tuple[str, str]]:
    """Tokens that it looks for, each with the word sealed."""
    if isinstance(node, list):
        for part in node:
            yield from _words_in(part, relation)
    if not isinstance(node, dict):
        return
    relation = _relation(node, relation)
    field = _field(node, relation)
    if field and field.token and "value" in node:
        is_begin = node.get("op") in (Op.STARTS, Op.NOT_STARTS)
        for sealed in _sealed_in(node["value"]):
            with suppress(CannotOpen, InvalidInput):
                yield field.token(open_word(sealed), is_begin), sealed
    for part in node.values():
        yield from _words_in(part, relation)
