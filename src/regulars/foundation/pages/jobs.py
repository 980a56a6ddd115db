"""What is done to many rows, in the background."""

from regulars.foundation import clock
from regulars.foundation.pages.bulk import carry_on
from regulars.foundation.work.jobs import jobs


@jobs.task(name="pages.bulk")
def bulk(run_id: int) -> None:
    """Carries out a bulk action, or the rest of one whose worker was killed."""
    carry_on(run_id, clock.now)
