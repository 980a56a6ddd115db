"""Who looks at the pages of messages and workflows."""

import pytest
from django.test import Client

from regulars.foundation.access.models import StaffMember


@pytest.fixture
def staff(db: None) -> Client:
    """A browser in which the owner is signed in."""
    member = StaffMember.objects.create(email="owner@shop.example", name="Ola Owner", role="owner")
    client = Client()
    client.force_login(member)
    return client
