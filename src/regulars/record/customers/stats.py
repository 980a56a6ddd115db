"""What ``regulars stats`` says of people."""

from regulars.record.customers import queries


def stats() -> dict[str, object]:
    """Profiles, the customers that they make, and the identities that lead to them."""
    return dict(queries.stats())
