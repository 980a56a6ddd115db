"""What the steps of one application share."""

from dataclasses import dataclass, field
from datetime import datetime

from regulars.record.customers.inputs import PersonInput
from regulars.record.events.log import LogTransaction
from regulars.record.orders.inputs import LineInput


@dataclass(frozen=True)
class Context:
    """The transaction, and the rows that orders and refunds point to."""

    log: LogTransaction
    store_id: int
    at: datetime
    is_history: bool
    profiles: dict[int, int] = field(default_factory=dict)  # id() of the PersonInput -> profile
    owners: dict[int, int] = field(default_factory=dict)  # profile -> customer
    variants: dict[tuple[str, str, str], int] = field(default_factory=dict)
    gone: dict[str, str] = field(
        default_factory=dict
    )  # number -> why an order counts nothing from its first statement on

    def profile(self, person: PersonInput | None) -> int | None:
        return None if person is None else self.profiles.get(id(person))

    def customer(self, profile_id: int | None) -> int | None:
        return None if profile_id is None else self.owners.get(profile_id)

    def variant(self, line: LineInput) -> int | None:
        return self.variants.get(line.product_name)


@dataclass(frozen=True)
class Written:
    """Orders written, profiles touched (before and after), number of lines, and of known orders how many are not what they were."""

    order_ids: dict[str, int] = field(default_factory=dict)
    profiles: set[int] = field(default_factory=set)
    lines: int = 0
    moved: int = 0

    def __add__(self, other: "Written") -> "Written":
        return Written(
            self.order_ids | other.order_ids,
            self.profiles | other.profiles,
            self.lines + other.lines,
            self.moved + other.moved,
        )
