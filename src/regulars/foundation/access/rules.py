"""Roles and what they permit. Deny by default: what is not registered here nobody may do."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from regulars.foundation.registry import Registry

SESSION_HOURS = timedelta(hours=12)
IDLE_MINUTES = timedelta(minutes=30)


class Role(StrEnum):
    """What a member of staff is here for. The owner may do everything."""

    OWNER = "owner"
    MANAGER = "manager"
    MARKETER = "marketer"
    AGENT = "agent"
    OPERATIONS = "operations"
    ANALYST = "analyst"
    READ_ONLY = "read_only"


EVERYBODY: tuple[Role, ...] = tuple(Role)


@dataclass(frozen=True)
class Permission:
    """One thing that may be allowed: ``customers.view``. The owner always holds it.

    ``is_of_all_stores``: what it shows is of the shop as a whole and cannot be told for one store, so nobody who is limited to
    some stores holds it.
    """

    name: str
    meaning: str
    roles: frozenset[Role]
    is_of_all_stores: bool = False


@dataclass(frozen=True)
class Scope:
    """What an API token may be good for: ``customers:read`` gives the permission ``customers.view``."""

    name: str
    meaning: str
    permission: str


PERMISSIONS: Registry[Permission] = Registry("permission")
SCOPES: Registry[Scope] = Registry("token scope")


def permit(name: str, meaning: str, *roles: Role, is_of_all_stores: bool = False) -> str:
    """Called from a module's ``permissions.py``; gives the name back. The owner need not be named."""
    PERMISSIONS.register(name, Permission(name, meaning, frozenset(roles) | {Role.OWNER}, is_of_all_stores))
    return name


def offer_scope(name: str, meaning: str, permission: str) -> str:
    """Called from a module's ``permissions.py``: a token with this scope holds ``permission``."""
    SCOPES.register(name, Scope(name, meaning, permission))
    return name


def permissions_of(role: str) -> frozenset[str]:
    """Names of everything that a role permits; nothing for a role that there is not."""
    return frozenset(name for name, permission in PERMISSIONS.items() if role in permission.roles)


def permissions_for(scopes: list[str]) -> frozenset[str]:
    """Names of everything that these scopes give; a scope that no longer exists gives nothing."""
    return frozenset(scope.permission for name, scope in SCOPES.items() if name in scopes)


def within_stores(permissions: frozenset[str]) -> frozenset[str]:
    """What is left of these permissions for whoever is limited to some stores."""
    return frozenset(name for name in permissions if name in PERMISSIONS and not PERMISSIONS[name].is_of_all_stores)


def is_session_over(signed_in_at: datetime, seen_at: datetime, at: datetime) -> bool:
    """After 12 hours in any case, after 30 minutes without a sign of life."""
    return at - signed_in_at >= SESSION_HOURS or at - seen_at >= IDLE_MINUTES
