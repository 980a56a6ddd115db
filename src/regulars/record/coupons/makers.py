"""Who can make codes: shops that are connected. They stand on a floor above and register themselves."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from regulars.foundation.errors import RegularsError
from regulars.foundation.registry import Registry


@dataclass(frozen=True)
class CodeRule:
    """What a code is worth. ``percent`` is 0 to 100; exactly one of ``percent``, ``amount`` and ``is_free_shipping`` is set.

    ``email``: only this person may use it, where the shop can keep that.
    """

    code: str
    title: str
    percent: Decimal | None = None
    amount: Decimal | None = None
    currency: str = ""
    is_free_shipping: bool = False
    minimum: Decimal | None = None
    usage_limit: int | None = 1
    email: str = ""
    ends_at: datetime | None = None


class CannotMake(RegularsError):
    """The shop will not take this code."""

    code = "code-refused"


class MakeLater(RegularsError):
    """The shop cannot be asked now."""

    code = "code-later"

    def __init__(self, sentence: str, seconds: float | None = None) -> None:
        super().__init__(sentence)
        self.seconds = seconds


class CouponMaker(Protocol):
    """Makes codes in the shops that it knows."""

    def can_make(self, store_id: int) -> bool:
        """Whether a shop of this store takes codes from us."""
        ...

    def make(self, store_id: int, rule: CodeRule, at: datetime) -> str:
        """The shop's key of the code; a code that is there already with the same rule is that one, so that asking twice makes one.

        Called outside of transactions. Raises CannotMake, MakeLater.
        """
        ...


MAKERS: Registry[CouponMaker] = Registry("maker of coupon codes")
