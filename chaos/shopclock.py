"""The clock of the shop chaos's shop: whole seconds, as WooCommerce writes them, and one more whenever the shop has sold something."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass
class ShopClock:
    """Begins a while ago, so that the shop never is ahead of the world."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10))

    def __call__(self) -> datetime:
        return self.at

    def tick(self) -> None:
        self.at += timedelta(seconds=1)
