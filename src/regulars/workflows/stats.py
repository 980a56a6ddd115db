"""What ``regulars stats`` says of workflows."""

from regulars.workflows import queries


def stats() -> dict[str, object]:
    """Runs by state."""
    return {"runs": queries.stats()}
