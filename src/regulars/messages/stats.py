"""What ``regulars stats`` says of messages."""

from regulars.messages import queries


def stats() -> dict[str, object]:
    """Messages by state."""
    return {"messages": queries.stats()}
