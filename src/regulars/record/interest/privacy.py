"""How a person's wishes, searches, reviews and tried coupons are exported and erased: they go as a whole."""

from datetime import datetime
from functools import partial
from typing import Any

from regulars.foundation.privacy import SubjectData, register
from regulars.foundation.sealing import Cell
from regulars.foundation.subjects import exported
from regulars.record.interest.models import Review, Search, TriedCoupon, WishlistItem

Table = type[WishlistItem] | type[Search] | type[Review] | type[TriedCoupon]


def _cell(row: Any, column: str) -> Cell:
    return Cell(row._meta.db_table, column, row.profile_id)


def _export(table: Table, profile_ids: list[int]) -> list[dict[str, Any]]:
    return exported(table._default_manager.filter(profile__in=profile_ids).order_by("pk"), place=_cell)


def _erase(table: Table, profile_ids: list[int], at: datetime) -> int:
    return table._default_manager.filter(profile__in=profile_ids).delete()[0]


for _table in (WishlistItem, Search, Review, TriedCoupon):
    register(SubjectData(_table._meta.db_table, partial(_export, _table), partial(_erase, _table)))
