"""What ``regulars stats`` says of the inbox."""

from regulars.foundation.inbox.queries import list_waiting


def stats() -> dict[str, object]:
    """Inputs that wait to be read, and those that could not be read."""
    found = list_waiting()
    return {
        "waiting_inputs": sum(one.received for one in found),
        "quarantined_inputs": sum(one.quarantined for one in found),
    }
