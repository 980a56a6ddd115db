"""Signing in and out: nobody learns who works here, tries are limited, sessions change, and nobody is sent elsewhere."""

import pytest
from django.test import Client

from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.rules import Role
from regulars.foundation.shop.settings import read_setting
from regulars.web.tests.shop import OWNER, PASSWORD, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> StaffMember:
    return make_staff(OWNER, "Ada Lovelace", Role.OWNER)


def attempt(client: Client, email: str, password: str, target: str = "") -> tuple[int, str, str]:
    """Status, where one is sent, and the text of the page."""
    answer = client.post("/sign-in", {"email": email, "password": password, "next": target})
    return answer.status_code, answer.headers.get("Location", ""), answer.content.decode()


def test_signing_in_begins_a_session_under_a_new_id(client: Client, owner: StaffMember) -> None:
    client.get("/sign-in")
    client.session["before"] = True
    before = client.session.session_key
    assert attempt(client, f" {OWNER.upper()} ", PASSWORD)[:2] == (302, "/")
    assert client.session.session_key != before
    assert client.get("/me").status_code == 200


def test_an_unknown_address_and_a_wrong_password_get_the_same_words(client: Client, owner: StaffMember) -> None:
    status, _, known = attempt(client, OWNER, "wrong password")
    other_status, _, unknown = attempt(client, "nobody@shop.example", "wrong password")
    assert (status, other_status) == (403, 403)
    assert "do not go together" in known
    assert "do not go together" in unknown
    assert client.get("/me").status_code == 302


def test_the_eleventh_try_within_ten_minutes_is_refused_even_with_the_right_password(
    client: Client, owner: StaffMember
) -> None:
    for _ in range(10):
        assert attempt(client, OWNER, "wrong password")[0] == 403
    status, _, text = attempt(client, OWNER, PASSWORD)
    assert status == 429
    assert "Try again in" in text
    assert client.get("/me").status_code == 302


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_nobody_is_sent_elsewhere_after_signing_in(client: Client, owner: StaffMember, target: str) -> None:
    assert attempt(client, OWNER, PASSWORD, target)[1] == "/"


def test_one_comes_back_to_the_page_that_was_asked_for(client: Client, owner: StaffMember) -> None:
    answer = client.get("/orders?status=open")
    assert answer.headers["Location"] == "/sign-in?next=%2Forders%3Fstatus%3Dopen"
    assert attempt(client, OWNER, PASSWORD, "/orders?status=open")[1] == "/orders?status=open"


def test_signing_out_needs_a_post_and_ends_the_session(client: Client, owner: StaffMember) -> None:
    attempt(client, OWNER, PASSWORD)
    client.get("/sign-out")
    assert client.get("/me").status_code == 200
    client.post("/sign-out")
    assert client.get("/me").status_code == 302


def test_a_new_password_needs_the_present_one(client: Client, owner: StaffMember) -> None:
    attempt(client, OWNER, PASSWORD)
    refused = client.post("/me", {"present": "wrong password", "password": "another long password"})
    assert refused.status_code == 400
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)
    assert client.post("/me", {"present": PASSWORD, "password": "another long password"}).status_code == 302
    owner.refresh_from_db()
    assert owner.check_password("another long password")
    assert client.get("/me").status_code == 200  # still signed in here


def test_a_weak_password_is_refused_with_the_reason(client: Client, owner: StaffMember) -> None:
    attempt(client, OWNER, PASSWORD)
    refused = client.post("/me", {"present": PASSWORD, "password": "short"})
    assert refused.status_code == 400
    assert "12 characters" in refused.content.decode()
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)


def test_the_language_of_the_reader_changes_numbers(client: Client, owner: StaffMember) -> None:
    attempt(client, OWNER, PASSWORD)
    client.post("/me", {"name": "Ada L", "language": "de"})
    owner.refresh_from_db()
    assert (owner.name, owner.language) == ("Ada L", "de")
    assert '<html lang="de"' in client.get("/me").content.decode()


def test_a_password_of_an_invited_member_is_shown_once(client: Client, owner: StaffMember) -> None:
    attempt(client, OWNER, PASSWORD)
    answer = client.post("/team/invite", {"email": "grace@shop.example", "name": "Grace", "role": "agent"})
    text = answer.content.decode()
    password = text.partition('<code class="secret">')[2].partition("</code>")[0]
    assert StaffMember.objects.get(email="grace@shop.example").check_password(password)
    assert password not in client.get("/team").content.decode()
    assert "no-store" in answer.headers["Cache-Control"]


def test_settings_are_saved_as_a_whole_or_not_at_all(client: Client, owner: StaffMember) -> None:
    attempt(client, OWNER, PASSWORD)
    given = {
        "shop.name": "Acme",
        "shop.time_zone": "Mars/Olympus",
        "shop.reporting_currency": "GBP",
        "messages.per_day": "1",
        "messages.per_week": "3",
        "inbox.retention_days": "60",
    }
    refused = client.post("/settings", given)
    assert refused.status_code == 400
    assert "is not a time zone" in refused.content.decode()
    assert 'value="My shop"' in client.get("/settings").content.decode()
    right = given | {"shop.time_zone": "Europe/Athens"}
    assert client.post("/settings", right | {"inbox.retention_days": "0"}).status_code == 400
    assert client.post("/settings", right).status_code == 302
    assert read_setting("inbox.retention_days") == 60
    assert 'value="Acme"' in client.get("/settings").content.decode()


def test_a_reader_may_look_and_not_change(client: Client, owner: StaffMember) -> None:
    make_staff("eve@shop.example", "Eve", Role.READ_ONLY)
    attempt(client, "eve@shop.example", PASSWORD)
    assert client.get("/settings").status_code == 200
    assert client.post("/settings", {"shop.name": "Eve's"}).status_code == 403
    assert client.get("/settings/tokens").status_code == 403
    assert client.get("/customers?export=1").status_code == 403
    assert client.post("/customers", {"action": "export"}).status_code == 403
    assert 'value="My shop"' in client.get("/settings").content.decode()
