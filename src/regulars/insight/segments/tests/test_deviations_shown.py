"""Memberships that a nightly check found wrong are told to staff: on the segment's own page and on the home page."""

from datetime import timedelta

import pytest
from django.test import Client

from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.viewer import everything
from regulars.foundation.clock import now
from regulars.insight.conditions.reading import read_condition
from regulars.insight.segments.models import Deviation, Segment
from regulars.insight.segments.operations import saving
from regulars.insight.segments.panels import find_deviations
from regulars.record.customers.models import Customer

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def found_wrong(segment: Segment, days: int, *, was_in: bool) -> None:
    customer = Customer.objects.create(created_at=now())
    Deviation.objects.create(segment=segment, customer=customer, was_in=was_in, found_at=now() - days * DAY, position=1)


def test_what_nightly_checks_mended_is_told(client: Client) -> None:
    spenders, others = (
        saving.create_segment(name, read_condition({"of": "orders"}), None, now()) for name in ("Spenders", "Others")
    )
    client.force_login(StaffMember.objects.create(email="mo@shop.example", name="Mo", role="marketer"))
    assert find_deviations(everything(), now()) == []
    assert "nightly check found" not in client.get("/segments/spenders").content.decode()
    for days, was_in in ((1, True), (2, False), (20, False), (40, True)):
        found_wrong(spenders, days, was_in=was_in)
    found_wrong(others, 3, was_in=True)
    assert [(one.sentence, one.href) for one in find_deviations(everything(), now())] == [
        ("Spenders: The nightly check found 2 memberships wrong and mended them.", "/segments/spenders"),
        ("Others: The nightly check found 1 membership wrong and mended it.", "/segments/others"),
    ]
    page = client.get("/segments/spenders").content.decode().partition('class="deviations')[2]
    assert "The nightly check found 3 memberships wrong and mended them." in page
    newest = page.partition("</details>")[0].split("<li>")[1:]
    assert ["was in it, and should not be" in one for one in newest] == [True, False, False]
    assert ["/customers/cus_" in one and "<time" in one for one in newest] == [True, True, True]
    Segment.objects.filter(pk=spenders.pk).update(is_archived=True)
    assert [one.href for one in find_deviations(everything(), now())] == ["/segments/others"]
