"""The demo's own member of staff, and the password that the terminal prints."""

from datetime import datetime
from pathlib import Path

from regulars.foundation.access.models import StaffMember
from regulars.foundation.access.operations import create_staff, reset_password
from regulars.foundation.access.rules import Role
from regulars.foundation.audit.operations import SYSTEM

EMAIL = "demo@regulars.example"
_NAME = "Demo owner"


def ensure_account(home: Path, at: datetime) -> str:
    """The account's password: random, kept for the next run in a file of mode 0600 that only this user can read."""
    kept = home / "demo" / "password"
    member = StaffMember.objects.filter(email=EMAIL).first()
    if member is not None and kept.exists() and member.check_password(kept.read_text()):
        return kept.read_text()
    password = (
        create_staff(EMAIL, Role.OWNER, SYSTEM, at, name=_NAME)[1]
        if member is None
        else reset_password(member.pk, SYSTEM, at)
    )
    kept.unlink(missing_ok=True)
    kept.touch(mode=0o600)
    kept.write_text(password)
    return password
