"""What a shop platform must be able to do to be connected; all else is the base's, and the same for every platform.

Whatever a platform tells (a delivery of a webhook, a page of its history, a page of what changed since) goes raw into the inbox, and one
parser makes statements of it: import, webhooks and reconciliation are one path, and the record decides what is new.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from regulars.connections.base.client import Client
from regulars.foundation.errors import RegularsError
from regulars.foundation.inbox.parsers import RawInput
from regulars.foundation.pages.registries import Text
from regulars.foundation.registry import Registry
from regulars.record.carts.inputs import CartInput
from regulars.record.catalog.inputs import ProductInput, ProductRemoval, StockInput
from regulars.record.consent.inputs import ConsentInput, SuppressionInput
from regulars.record.coupons.inputs import CouponInput, CouponRemoval
from regulars.record.customers.inputs import IdentityInput, PersonInput
from regulars.record.orders.inputs import OrderInput, OrderRemoval, RefundInput


class BadSignature(RegularsError):
    """This delivery is not signed with the secret of its connection."""

    code = "bad-signature"
    status = 401


class Refused(RegularsError):
    """The shop refused: its sentence says what to change there."""

    code = "shop-refused"
    status = 400


class KeyRefused(Refused):
    """The shop does not accept our key, or nothing while it is locked: another key will do, or its owner."""

    code = "shop-key-refused"


@dataclass(frozen=True)
class Field:
    """One thing that is asked of whoever connects a shop; the answer is kept among the credentials."""

    name: str
    label: Text
    hint: Text = ""
    is_secret: bool = False
    is_optional: bool = False


@dataclass(frozen=True)
class Topic:
    """One kind of thing that a platform tells: pulled whole once, and what changed of it at each reconciliation."""

    name: str
    title: Text
    is_reconciled: bool = True


@dataclass(frozen=True)
class Account:
    """One connected shop as its platform needs it. Credentials and secrets are in clear here and sealed in the database."""

    connection_id: int
    public_id: str
    store_id: int
    store_code: str
    currency: str  # of the shop, in which it counts what it names no currency with
    time_zone: str
    address: str  # of the shop: https://shop.example, without a slash at its end
    credentials: Mapping[str, str]
    secrets: tuple[str, ...]  # those that sign webhooks: the present one, and the one before while it is still good
    client: Client


@dataclass(frozen=True)
class Shop:
    """What a shop says of itself when it is connected. ``missing`` holds what its key may not do, each as a sentence for a person."""

    name: str
    currency: str
    time_zone: str
    version: str = ""
    missing: tuple[Text, ...] = ()
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """Something pulled, as it came. ``cursor`` leads on, '' ends the topic; ``count`` things are in it, of ``total`` where that is known.

    ``wait`` seconds should pass before the next is asked for (a platform that prepares a file); then the body may be empty.
    """

    body: bytes
    cursor: str
    count: int
    total: int | None = None
    wait: float = 0


class Why(StrEnum):
    """Why something came in."""

    WEBHOOK = "webhook"
    HISTORY = "history"  # triggers nothing
    RECONCILE = "reconcile"


@dataclass(frozen=True)
class Incoming:
    """One body to read: a page of a topic, a single thing of it (see ``Platform.split``), or a delivery of a webhook."""

    topic: str
    why: Why
    raw: RawInput


@dataclass(frozen=True)
class Delivery:
    """A webhook whose signature is right. ``own_id`` is the same for the same delivery and for no other ('' stores each)."""

    topic: str
    own_id: str
    occurred_at: datetime | None = None


@dataclass(frozen=True)
class PersonGone:
    """The shop deleted its account of somebody. What they did stays; that they are gone there is noted."""

    identity: IdentityInput
    stated_at: datetime


@dataclass(frozen=True)
class PrivacyRequest:
    """The platform asks in a person's name. ``kind``: 'export', 'erase', or 'erase-shop' (then without ``identity``)."""

    kind: str
    occurred_at: datetime
    identity: IdentityInput | None = None
    orders: tuple[str, ...] = ()
    reference: str = ""


@dataclass(frozen=True)
class Wanted:
    """A thing of a topic that a webhook told in part only: it is asked for at once, by the platform's own key of it."""

    topic: str
    key: str


@dataclass(frozen=True)
class Unreadable:
    """One thing of many that could not be read: goes to quarantine alone. ``body`` is one that ``read`` takes under the same topic."""

    body: bytes
    reason: str


@dataclass
class Statements:
    """What was said, in the record's own inputs; nothing where it says nothing to us."""

    people: list[PersonInput] = field(default_factory=list)
    products: list[ProductInput] = field(default_factory=list)
    orders: list[OrderInput] = field(default_factory=list)
    refunds: list[RefundInput] = field(default_factory=list)
    coupons: list[CouponInput] = field(default_factory=list)
    consents: list[ConsentInput] = field(default_factory=list)
    suppressions: list[SuppressionInput] = field(default_factory=list)
    carts: list[CartInput] = field(default_factory=list)
    stocks: list[StockInput] = field(default_factory=list)
    orders_gone: list[OrderRemoval] = field(default_factory=list)
    products_gone: list[ProductRemoval] = field(default_factory=list)
    coupons_gone: list[CouponRemoval] = field(default_factory=list)
    people_gone: list[PersonGone] = field(default_factory=list)
    requests: list[PrivacyRequest] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    is_over: bool = False  # our app was removed in the shop; it may be installed there again

    def add(self, other: "Statements") -> None:
        """What the other says, said here too."""
        for name, value in vars(other).items():
            if isinstance(value, list):
                getattr(self, name).extend(value)
        self.is_over |= other.is_over


@dataclass(frozen=True)
class WebhookReport:
    """How the shop's webhooks stand after they were seen to. ``revived`` were there and switched off by the shop."""

    wanted: int
    made: int = 0
    revived: int = 0
    mended: int = 0  # pointed elsewhere, or had another secret


@dataclass(frozen=True)
class ConsentChange:
    """What somebody said to us about being written to, for the shop to know. One of ``email`` and ``phone`` is given, by ``channel``."""

    customer_key: str  # the shop's own number of the person
    channel: str
    address: str
    is_granted: bool
    occurred_at: datetime


@dataclass(frozen=True)
class CouponRule:
    """A code to be made. ``percent`` is 0 to 100; exactly one of ``percent``, ``amount`` and ``is_free_shipping`` is set."""

    code: str
    title: str
    percent: Decimal | None = None
    amount: Decimal | None = None
    currency: str = ""
    is_free_shipping: bool = False
    minimum: Decimal | None = None
    usage_limit: int | None = 1
    email: str = ""  # only this person may use it, where the platform can keep that
    ends_at: datetime | None = None


class Platform(ABC):
    """One kind of shop system, registered with ``PLATFORMS.register(code, ...)`` in its module's door ``platform.py``.

    Its methods are of two sorts: those that call the shop, never inside a transaction, and pure ones.
    """

    code: ClassVar[str]  # in addresses, sources and identities: woocommerce
    title: ClassVar[Text]
    fields: ClassVar[tuple[Field, ...]]
    topics: ClassVar[tuple[Topic, ...]]  # in the order of their import
    guide: ClassVar[str] = ""  # template that guides whoever connects
    more: ClassVar[str] = ""  # template of what the platform adds to the connection's page
    served_until: ClassVar[date | None] = None  # the day on which the version that we speak ends, where it does
    signing: ClassVar[str] = ""  # the field that holds the secret of its webhooks, where it and not we choose it
    # Topics that are heard after the end too: what it told is still here.
    lasting: ClassVar[frozenset[str]] = frozenset()
    begin: ClassVar[str] = (
        ""  # name of the route that connects in the browser (OAuth, key exchange), where there is one
    )

    def can_begin(self) -> bool:
        """Whether the shop can hand out its key by itself to this installation, as it stands."""
        return bool(self.begin)

    # --- calling the shop: raise Refused (with what to do; KeyRefused where it is the key), Unreachable, TryLater ---

    @abstractmethod
    def check(self, account: Account) -> Shop:
        """Whether the credentials work, and what the shop says of itself."""

    @abstractmethod
    def fetch(self, account: Account, topic: str, cursor: str, since: datetime | None, at: datetime) -> Page:
        """The next page of a topic, '' being its beginning; only what changed since a moment, where one is given.

        A page may be fetched twice (a kill between fetching and storing); nothing may be left out between two pages while the shop goes on
        selling: cursors are by key or by time, not by page number alone.
        """

    def fetch_one(self, account: Account, topic: str, key: str) -> bytes:
        """One thing, whole, as a page of its topic holds it; b'' where the shop has it no more. For what ``read`` says is ``wanted``."""
        raise Refused("This platform is asked for whole pages only.")

    @abstractmethod
    def ensure_webhooks(self, account: Account, address: str) -> WebhookReport:
        """Makes the shop send everything to ``address``: makes what is missing, revives what was switched off, touches no other's."""

    @abstractmethod
    def remove_webhooks(self, account: Account, address: str) -> None:
        """Takes away what ``ensure_webhooks`` made."""

    def write_consent(self, account: Account, change: ConsentChange) -> None:
        """Tells the shop; repeated, it changes nothing more. Raises Refused where the shop cannot keep it."""
        raise Refused("This platform keeps no consent.")

    def make_coupon(self, account: Account, rule: CouponRule) -> str:
        """Makes a code and gives the shop's key of it; a code that is there already with the same rule is that one."""
        raise Refused("No codes can be made on this platform.")

    # --- pure ---

    @abstractmethod
    def authenticate(self, account: Account, headers: Mapping[str, str], body: bytes) -> Delivery | None:
        """The delivery that these raw bytes are; None for a ping, which is thanked and not kept. Raises BadSignature.

        Header names are in small letters. Compares bytes in constant time with each of ``account.secrets``.
        """

    @abstractmethod
    def read(self, account: Account, incoming: Incoming) -> Statements:
        """What a body says. One thing that cannot be read goes to ``unreadable`` (see ``things.read_thing``); where the whole body cannot,
        whatever that leads to (``things.STRANGE``) may be raised.
        """

    @abstractmethod
    def split(self, incoming: Incoming) -> Sequence[bytes]:
        """The things of a page one by one, each as a body that ``read`` takes under the same topic; one for what is single already."""


PLATFORMS: Registry[Platform] = Registry("platform")
