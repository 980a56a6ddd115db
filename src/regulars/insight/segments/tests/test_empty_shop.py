"""The pages of segments before anything has arrived."""

import pytest
from django.test import Client

from regulars.foundation.access.models import StaffMember
from regulars.foundation.clock import now
from regulars.insight.segments import operations

pytestmark = pytest.mark.django_db


def test_an_empty_shop_says_what_to_do_first(client: Client) -> None:
    client.force_login(StaffMember.objects.create(email="owner@shop.example", name="owner", role="owner"))
    operations.ensure_rfm_segments(now())
    for path in ("/segments", "/segments/at-risk"):
        html = client.get(path).content.decode()
        assert 'href="/imports/new"' in html, path
    assert client.get("/segments/movement").status_code == 200
    assert client.get("/segments/thresholds").status_code == 200
    assert client.get("/segments/no-such").status_code == 404
    assert client.get("/segments/seg_nonsense").status_code == 404
