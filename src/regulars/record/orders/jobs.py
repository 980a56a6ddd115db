"""What orders do in the background."""

import structlog

from regulars.foundation.clock import now
from regulars.foundation.work.jobs import jobs
from regulars.foundation.work.operations import fail
from regulars.record.orders.operations import money

logger = structlog.get_logger()


@jobs.task(name=money.REFOLD)
def refold(task_id: int) -> None:
    """After a change of what amounts are worth. Tried again by the rescue where its worker died."""
    try:
        money.refold(task_id, now)
    except Exception as error:
        logger.error("refolding stopped", error=type(error).__name__)
        fail(task_id, now(), "An unexpected error stopped it: 'regulars refold' works out all sums anew.")
        raise
