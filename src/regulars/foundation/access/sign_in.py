"""Signing in: the same work and the same words whether or not the address is known, and a limit on trying."""

from datetime import datetime, timedelta

from django.contrib.auth import login, logout
from django.contrib.auth.hashers import check_password, make_password
from django.http import HttpRequest

from regulars.foundation.access.client import client_address
from regulars.foundation.access.limits import Limit, TooManyTries, spend
from regulars.foundation.access.middleware import SEEN_AT, SIGNED_IN_AT
from regulars.foundation.access.models import StaffMember
from regulars.foundation.audit.operations import SYSTEM, record
from regulars.foundation.errors import NotAllowed

# By address of the computer and mail address together, so that nobody can lock an owner out from elsewhere.
BY_PAIR = Limit("sign-in pair", 10, timedelta(minutes=10))
BY_COMPUTER = Limit("sign-in computer", 60, timedelta(minutes=10))
BY_MAIL = Limit("sign-in mail", 300, timedelta(hours=1))


class WrongSignIn(NotAllowed):
    """This mail address and password do not go together."""

    code = "wrong-sign-in"


def sign_in(request: HttpRequest, email: str, password: str, at: datetime) -> StaffMember:
    """Begins a session under a new session id. Raises WrongSignIn, or TooManyTries with ``retry_after`` seconds.

    A second factor will be asked for between the two halves of this function.
    """
    address = email.strip().lower()[:254]
    spend(BY_PAIR, f"{client_address(request)} {address}", at)
    spend(BY_COMPUTER, client_address(request), at)
    spend(BY_MAIL, address, at)
    member = check(address, password)
    if member is None:
        record("sign-in.refused", SYSTEM, at=at)
        raise WrongSignIn
    begin_session(request, member, at)
    return member


def check(address: str, password: str) -> StaffMember | None:
    """The member of staff, if the password is right and they are not switched off. Hashes once whoever asks."""
    member = StaffMember.objects.filter(email=address).first()
    if member is None:
        make_password(password)  # the same work as for a known address
        return None
    if "\x00" in password or not check_password(password, member.password):
        return None
    return member if member.is_active else None


def begin_session(request: HttpRequest, member: StaffMember, at: datetime) -> None:
    """Also after a password change, so that whoever made it stays signed in."""
    request.session.flush()
    login(request, member, backend="django.contrib.auth.backends.ModelBackend")
    request.session[SIGNED_IN_AT] = request.session[SEEN_AT] = at.isoformat()
    record("sign-in.done", member.viewer(), member.public_id, at=at)


def sign_out(request: HttpRequest, at: datetime) -> None:
    """Ends this session."""
    if isinstance(request.user, StaffMember):
        record("sign-in.ended", request.user.viewer(), request.user.public_id, at=at)
    logout(request)


__all__ = ["TooManyTries", "WrongSignIn", "begin_session", "check", "sign_in", "sign_out"]
