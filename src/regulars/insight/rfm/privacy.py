"""Scores of a person: numbers that say nothing about who it was."""

from typing import Any

from regulars.foundation.privacy import SubjectData, keep, register
from regulars.foundation.subjects import exported
from regulars.insight.rfm.models import RfmScore, RfmSnapshot
from regulars.record.customers.queries import customers_of


def _export(profile_ids: list[int]) -> list[dict[str, Any]]:
    owners = set(customers_of(profile_ids).values())
    snapshots = RfmSnapshot.objects.values("pk")  # by the primary key: there is no index by customer
    return exported(RfmScore.objects.filter(snapshot__in=snapshots, customer__in=owners).order_by("pk"), "customer_id")


register(SubjectData("rfm_rfmscore", _export, keep, "scores of a number, so that past reports stay as they were"))
