"""Who belongs together, for readers of the log: they keep the order of a customer's events (docs/decisions/0008-order-across-a-merge.md)."""

from collections.abc import Collection

from regulars.record.customers.queries import customers_of, profiles_of


def families_of(profile_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """For each profile all those that are one customer with it at present, itself included."""
    owners = customers_of(profile_ids)
    members = {customer: frozenset(profiles) for customer, profiles in profiles_of(set(owners.values())).items()}
    return {profile: members[customer] for profile, customer in owners.items() if customer in members}
