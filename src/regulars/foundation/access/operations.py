"""What can be done about members of staff. Each change is audited; one that lessens what somebody may do ends their
sessions.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F

from regulars.foundation.access.models import ApiToken, StaffMember
from regulars.foundation.access.rules import Role
from regulars.foundation.access.viewer import Viewer
from regulars.foundation.audit.operations import System, record
from regulars.foundation.errors import Conflict, InvalidInput, NotAllowed
from regulars.foundation.retrying import retried

By = Viewer | System
PASSWORD_BYTES = 15  # 120 random bits, 20 characters


class NotYourself(NotAllowed):
    """Nobody changes their own role, stores or access: ask another owner."""

    code = "not-yourself"


class LastOwner(Conflict):
    """This is the last owner who can sign in: make somebody else an owner first."""

    code = "last-owner"


class UnknownRole(InvalidInput):
    """There is no such role."""

    code = "unknown-role"


class MailTaken(Conflict):
    """Somebody with this mail address works here already."""

    code = "mail-taken"


class WeakPassword(InvalidInput):
    """This password is too easy to guess."""

    code = "weak-password"


@retried
def create_staff(
    email: str, role: str, by: By, at: datetime, name: str = "", stores: Sequence[int] = ()
) -> tuple[StaffMember, str]:
    """A new member of staff and the random password that is shown once. Raises InvalidInput, UnknownRole, MailTaken,
    NotAllowed.
    """
    _allow(by, "staff.manage")
    address = _address(email)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    with transaction.atomic():
        member, is_new = StaffMember.objects.get_or_create(
            email=address, defaults={"name": name.strip(), "role": _role(role), "password": make_password(password)}
        )
        if not is_new:
            raise MailTaken(field="email")
        member.stores.set(stores)
        record("staff.created", by, member.public_id, {"role": member.role, "stores": sorted(stores)}, at=at)
    return member, password


@retried
def change_role(staff_id: int, role: str, by: By, at: datetime) -> None:
    """Takes effect with their next click: their sessions end. Raises UnknownRole, NotYourself, LastOwner, NotAllowed."""
    _allow(by, "staff.manage", staff_id)
    wanted = _role(role)
    with transaction.atomic():
        member = _lock_member(staff_id)
        if member.role == wanted:
            return
        if wanted != Role.OWNER:
            _keep_an_owner(member)
        before = member.role
        StaffMember.objects.filter(pk=staff_id).update(role=wanted, epoch=F("epoch") + 1)
        record("staff.role-changed", by, member.public_id, {"from": before, "to": wanted}, at=at)


@retried
def change_stores(staff_id: int, stores: Sequence[int], by: By, at: datetime) -> None:
    """Limits a member of staff to these stores; none: all. Raises NotYourself, NotAllowed."""
    _allow(by, "staff.manage", staff_id)
    with transaction.atomic():
        member = _lock_member(staff_id)
        member.stores.set(stores)
        StaffMember.objects.filter(pk=staff_id).update(epoch=F("epoch") + 1)
        record("staff.stores-changed", by, member.public_id, {"stores": sorted(stores)}, at=at)


@retried
def switch_staff(staff_id: int, is_active: bool, by: By, at: datetime) -> None:
    """Switches somebody off (their sessions end, their tokens stop) or on again. Raises NotYourself, LastOwner,
    NotAllowed.
    """
    _allow(by, "staff.manage", staff_id)
    with transaction.atomic():
        member = _lock_member(staff_id)
        if not is_active:
            _keep_an_owner(member)
        StaffMember.objects.filter(pk=staff_id).update(is_active=is_active, epoch=F("epoch") + 1)
        record("staff.switched-on" if is_active else "staff.switched-off", by, member.public_id, at=at)


@retried
def change_password(staff_id: int, password: str, by: By, at: datetime) -> None:
    """Ends all their sessions (the view signs the present one in again) and revokes the tokens that they made. Raises
    WeakPassword, NotAllowed.
    """
    if isinstance(by, Viewer) and by.staff_id != staff_id:
        by.require("staff.manage")
    with transaction.atomic():
        member = _lock_member(staff_id)
        _check_password(password, member)
        member.set_password(password)
        StaffMember.objects.filter(pk=staff_id).update(password=member.password, epoch=F("epoch") + 1)
        revoked = ApiToken.objects.filter(staff_id=staff_id, revoked_at__isnull=True).update(revoked_at=at)
        record("staff.password-changed", by, member.public_id, {"tokens_revoked": revoked}, at=at)


def reset_password(staff_id: int, by: By, at: datetime) -> str:
    """A new random password, shown once to whoever asked for it. Raises NotAllowed."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    change_password(staff_id, password, by, at)
    return password


@retried
def change_profile(staff_id: int, name: str, language: str, by: By, at: datetime) -> None:
    """Own name and language; of somebody else only with the permission. Raises NotAllowed."""
    if isinstance(by, Viewer) and by.staff_id != staff_id:
        by.require("staff.manage")
    StaffMember.objects.filter(pk=staff_id).update(name=name.strip()[:200], language=language[:10])
    record("staff.profile-changed", by, f"staff:{staff_id}", at=at)


@retried
def end_sessions(staff_id: int, by: By, at: datetime) -> None:
    """Signs a member of staff out everywhere. Raises NotAllowed."""
    if isinstance(by, Viewer) and by.staff_id != staff_id:
        by.require("staff.manage")
    StaffMember.objects.filter(pk=staff_id).update(epoch=F("epoch") + 1)
    record("staff.sessions-ended", by, f"staff:{staff_id}", at=at)


def _allow(by: By, permission: str, of_staff: int | None = None) -> None:
    if isinstance(by, Viewer):
        by.require(permission)
        if of_staff is not None and by.staff_id == of_staff:
            raise NotYourself


def _lock_member(staff_id: int) -> StaffMember:
    """Locks all owners besides, in the order of their keys, so that two owners cannot remove each other at once."""
    rows = StaffMember.objects.filter(role=Role.OWNER) | StaffMember.objects.filter(pk=staff_id)
    for member in rows.order_by("pk").select_for_update():
        if member.pk == staff_id:
            return member
    raise InvalidInput("There is no such member of staff.")


def _keep_an_owner(member: StaffMember) -> None:
    if member.role != Role.OWNER or not member.is_active:
        return
    if not StaffMember.objects.filter(role=Role.OWNER, is_active=True).exclude(pk=member.pk).exists():
        raise LastOwner


def _role(name: str) -> str:
    if name not in set(Role):
        raise UnknownRole(f"There is no role '{name[:30]}': it is one of {', '.join(Role)}.")
    return Role(name).value


def _address(email: str) -> str:
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise InvalidInput(f"'{email.strip()[:80]}' is not a mail address.", field="email") from error
    return address


def _check_password(password: str, member: StaffMember) -> None:
    try:
        validate_password(password, member)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages), field="password") from error
