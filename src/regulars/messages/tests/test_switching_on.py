"""Workflows are switched on by hand: staff are asked about those who are there already."""

import pytest
from django.test import Client

from regulars.foundation import clock
from regulars.foundation.ids import to_public
from regulars.insight.segments.models import Membership, Segment
from regulars.insight.segments.operations import ensure_rfm_segments
from regulars.messages.library import install
from regulars.record.events import log
from regulars.workflows.models import Run, Workflow
from regulars.workflows.tests.factories import DAY, make_people, make_shop

pytestmark = pytest.mark.django_db


def test_who_was_there_already_is_asked_about_and_begins_later(staff: Client) -> None:
    at = clock.now()
    store = make_shop()
    ensure_rfm_segments(at)
    install("win-back", at)
    segment = Segment.objects.get(key="at-risk")
    with log.transaction("system", "test") as entries:
        for customer, profile in make_people(3, store):
            Membership.objects.create(
                segment=segment,
                customer_id=customer,
                profile_id=profile,
                entered_at=at - DAY,
                is_initial=True,
                reason={},
                batch_id=entries.batch_id,
            )
    path = f"/workflows/{to_public(Workflow.PREFIX, Workflow.objects.get().uid)}"
    assert "3 customers are there already and have not been" in staff.get(f"{path}/switch").content.decode()
    staff.post(f"{path}/switch", {"to": "on", "who": "all"})
    last = Run.objects.order_by("-since")[0]
    page = staff.get(f"/runs/{to_public(Run.PREFIX, last.uid)}").content.decode()
    assert ("Not begun yet" in page, "do not begin all at once" in page, "Now here" in page) == (True, True, False)
    assert staff.get(f"{path}/switch")["Location"] == path
    staff.post(f"{path}/switch", {"to": "off"})
    assert "Nobody is there already who has not" in staff.get(f"{path}/switch").content.decode()


def test_ready_made_workflows_are_added_switched_off(staff: Client) -> None:
    make_shop()
    ensure_rfm_segments(clock.now())
    assert staff.post("/workflows/install/thank-champions").status_code == 302
    workflow = Workflow.objects.get()
    assert (workflow.key, workflow.is_on) == ("thank-champions", False)
    address = f"/workflows/{to_public(Workflow.PREFIX, workflow.uid)}/switch"
    assert "Nobody is there already who has not been through this." in staff.get(address).content.decode()
    staff.post(address, {"to": "on", "who": "none"})
    assert Workflow.objects.get().is_on
    staff.post(address, {"to": "off"})
    assert not Workflow.objects.get().is_on
