"""Leases: who drives a loop until when. Each take-over raises the fence, and a write under an older fence is refused.

Time is the database's here: machines disagree about the hour, and a lease must not.
"""

from dataclasses import dataclass

from django.db import connection

from regulars.foundation.errors import RegularsError

# Waits for nobody: whoever works under a lease holds its row until the commit, and then it is simply not to be had.
_TAKE = """
WITH free AS (
    SELECT name, until > to_timestamp(0) AS was_left FROM work_lease WHERE name = %(name)s AND until < clock_timestamp()
    FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE work_lease l SET owner = %(owner)s, fence = fence + 1, until = clock_timestamp() + %(seconds)s * interval '1 second'
    FROM free WHERE l.name = free.name
    RETURNING fence, was_left
), made AS (
    INSERT INTO work_lease (name, owner, fence, until)
    SELECT %(name)s, %(owner)s, 1, clock_timestamp() + %(seconds)s * interval '1 second'
    WHERE NOT EXISTS (SELECT 1 FROM work_lease WHERE name = %(name)s)
    ON CONFLICT DO NOTHING RETURNING fence
)
SELECT fence, was_left FROM taken UNION ALL SELECT fence, false FROM made
"""
_EXTEND = """
UPDATE work_lease SET until = clock_timestamp() + %(seconds)s * interval '1 second'
WHERE name = %(name)s AND owner = %(owner)s AND fence = %(fence)s
"""
_RELEASE = (
    "UPDATE work_lease SET until = to_timestamp(0) WHERE name = %(name)s AND owner = %(owner)s AND fence = %(fence)s"
)
_CHECK = "SELECT 1 FROM work_lease WHERE name = %(name)s AND owner = %(owner)s AND fence = %(fence)s FOR SHARE"


class LeaseLost(RegularsError):
    """Another worker has taken this over meanwhile: what was done since is not written."""

    code = "lease-lost"
    status = 409


@dataclass(frozen=True)
class Held:
    """A lease that was ours when we took it; ``fence`` rises by one with each take-over."""

    name: str
    owner: str
    fence: int
    was_left: bool = False  # whoever held it last did not give it back: it died, was too slow, or lost the database


def take_lease(name: str, owner: str, seconds: float) -> Held | None:
    """The lease, if nobody holds it now; None otherwise."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"name": name, "owner": owner, "seconds": seconds})
        row = cursor.fetchone()
    return Held(name, owner, *row) if row else None


def extend_lease(held: Held, seconds: float) -> bool:
    """The heartbeat. False once somebody else has taken over, also if that one has gone again."""
    return _execute(_EXTEND, held, seconds) == 1


def release_lease(held: Held) -> None:
    """Lets the next one have it at once; does nothing if it was lost."""
    _execute(_RELEASE, held)


def check_lease(held: Held) -> None:
    """Inside the transaction that writes: holds the lease's row until its end. Raises LeaseLost under an older fence."""
    if _execute(_CHECK, held) != 1:
        raise LeaseLost


def _execute(statement: str, held: Held, seconds: float = 0) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"name": held.name, "owner": held.owner, "fence": held.fence, "seconds": seconds})
        return int(cursor.rowcount)
