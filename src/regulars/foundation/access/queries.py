"""What can be asked about members of staff."""

from regulars.foundation.access.models import StaffMember
from regulars.foundation.errors import NotFound
from regulars.foundation.ids import from_public


def list_staff() -> list[StaffMember]:
    """Everybody who works or worked here, those who may sign in first."""
    return list(StaffMember.objects.prefetch_related("stores").order_by("-is_active", "name", "email"))


def get_staff(public_id: str) -> StaffMember:
    """Raises NotFound."""
    member = StaffMember.objects.filter(uid=from_public(StaffMember.PREFIX, public_id)).first()
    if member is None:
        raise NotFound("There is no such member of staff.")
    return member


def names_of_staff(staff_ids: set[int]) -> dict[int, str]:
    """How each is called, for 'who wrote this'."""
    return {member.pk: str(member) for member in StaffMember.objects.filter(pk__in=staff_ids)}
