"""The lists that a person was on: exported, and gone with them."""

from datetime import datetime
from typing import Any

from regulars.foundation.privacy import SubjectData, register
from regulars.foundation.subjects import exported
from regulars.record.lists.models import ListMember


def _export(profile_ids: list[int]) -> list[dict[str, Any]]:
    rows = ListMember.objects.filter(profile__in=profile_ids)
    names = dict(rows.values_list("list_id", "list__name"))
    return [row | {"list": names[row["list_id"]]} for row in exported(rows.order_by("pk"))]


def _erase(profile_ids: list[int], at: datetime) -> int:
    return int(ListMember.objects.filter(profile__in=profile_ids).delete()[0])


register(SubjectData("lists_listmember", _export, _erase))
