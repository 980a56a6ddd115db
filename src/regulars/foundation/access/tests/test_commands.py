"""Members of staff and tokens from the command line: secrets are printed once, mistakes are sentences."""

from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from regulars.foundation.access.models import ApiToken, StaffMember
from regulars.foundation.access.sign_in import check
from regulars.foundation.access.tokens import BadToken, check_token

pytestmark = pytest.mark.django_db


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command(*arguments)
    return capsys.readouterr().out.strip()


def test_staff_are_made_and_get_new_passwords(capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, "staff", "create", "--email", "Ann@Shop.example", "--role", "agent", "--name", "Ann")
    assert check("ann@shop.example", said.rsplit(" ", 1)[1]) == StaffMember.objects.get(role="agent", name="Ann")
    fresh = run(capsys, "staff", "reset", "--email", "ann@shop.example").rsplit(" ", 1)[1]
    assert check("ann@shop.example", said.rsplit(" ", 1)[1]) is None
    assert check("ann@shop.example", fresh) is not None
    assert run(capsys, "staff", "list") == "ann@shop.example  agent"
    for wrong in (
        ["create", "--email", "ann@shop.example"],
        ["create", "--email", "nobody"],
        ["reset", "--email", "x@shop.example"],
    ):
        with pytest.raises(CommandError):
            call_command("staff", *wrong)
    assert StaffMember.objects.count() == 1


def test_tokens_are_made_listed_and_revoked(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(
        capsys,
        "token",
        "create",
        "--name",
        "nightly",
        "--scope",
        "customers:read",
        "--scope",
        "orders:read",
        "--days",
        "1",
    )
    assert check_token(text, datetime.now(UTC)).permissions == {"customers.view", "orders.view"}
    prefix = text.split("_")[1]
    assert run(capsys, "token", "list") == f"{prefix}  nightly  customers:read,orders:read  in use"
    assert text not in run(capsys, "token", "list")
    run(capsys, "token", "revoke", "--name", prefix)
    with pytest.raises(BadToken):
        check_token(text, datetime.now(UTC))
    for wrong in (
        ["create", "--name", "x", "--scope", "all-of-it"],
        ["create", "--name", "x"],
        ["create", "--scope", "read"],
        ["create", "--name", "x", "--scope", "read", "--store", "no"],
        ["revoke", "--name", "no"],
    ):
        with pytest.raises(CommandError):
            call_command("token", *wrong)
    assert ApiToken.objects.count() == 1
