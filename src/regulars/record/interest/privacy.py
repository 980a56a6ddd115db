"""How a person's wishes, searches and reviews are exported and erased: they go as a whole."""

from typing import Any

from regulars.foundation.privacy import SubjectData, register
from regulars.foundation.sealing import Cell
from regulars.foundation.subjects import exported
from regulars.record.interest.models import Review, Search, WishlistItem


def _cell(row: Any, column: str) -> Cell:
    return Cell(row._meta.db_table, column, row.profile_id)


for _model in (WishlistItem, Search, Review):
    register(
        SubjectData(
            _model._meta.db_table,
            lambda ids, model=_model: exported(
                model._default_manager.filter(profile__in=ids).order_by("pk"), place=_cell
            ),
            lambda ids, at, model=_model: model._default_manager.filter(profile__in=ids).delete()[0],
        )
    )
