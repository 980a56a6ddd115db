"""How codes of the record are called on the screens, and which colour a state has."""

from django.utils.translation import gettext_lazy as _

from regulars.foundation.pages.lists import Pill
from regulars.foundation.pages.registries import Text
from regulars.insight.rfm.rules import RfmSegment
from regulars.insight.rfm.words import NAMES
from regulars.record.orders.models import FulfilmentStatus, OrderStatus, PaymentStatus

RFM: dict[str, Text] = {str(key): name for key, name in NAMES.items()}
_RFM_TONES = {
    RfmSegment.CHAMPIONS: "accent",
    RfmSegment.LOYAL: "accent",
    RfmSegment.POTENTIAL_LOYALISTS: "green",
    RfmSegment.NEW: "green",
    RfmSegment.PROMISING: "green",
    RfmSegment.NEEDS_ATTENTION: "amber",
    RfmSegment.ABOUT_TO_SLEEP: "amber",
    RfmSegment.AT_RISK: "red",
    RfmSegment.CANT_LOSE: "red",
}
ORDER_STATUS: dict[str, Text] = {
    OrderStatus.OPEN: _("Open"),
    OrderStatus.COMPLETED: _("Completed"),
    OrderStatus.CANCELLED: _("Cancelled"),
}
PAYMENT: dict[str, Text] = {
    PaymentStatus.PENDING: _("Payment pending"),
    PaymentStatus.AUTHORIZED: _("Authorised"),
    PaymentStatus.PAID: _("Paid"),
    PaymentStatus.PARTIALLY_PAID: _("Partly paid"),
    PaymentStatus.PARTIALLY_REFUNDED: _("Partly refunded"),
    PaymentStatus.REFUNDED: _("Refunded"),
    PaymentStatus.VOIDED: _("Voided"),
}
FULFILMENT: dict[str, Text] = {
    FulfilmentStatus.UNFULFILLED: _("Not sent"),
    FulfilmentStatus.PARTIAL: _("Partly sent"),
    FulfilmentStatus.FULFILLED: _("Sent"),
}
PRODUCT_STATUS: dict[str, Text] = {"active": _("Active"), "draft": _("Draft"), "archived": _("Archived")}
CONSENT: dict[str, Text] = {
    "granted": _("Agreed to mail"),
    "denied": _("Said no to mail"),
    "unknown": _("Never said"),
    "do-not-contact": _("Do not contact"),
}
_TONES = {
    OrderStatus.OPEN: "amber",
    OrderStatus.CANCELLED: "red",
    PaymentStatus.PENDING: "amber",
    PaymentStatus.AUTHORIZED: "amber",
    PaymentStatus.PARTIALLY_PAID: "amber",
    PaymentStatus.VOIDED: "red",
    PaymentStatus.PAID: "green",
    FulfilmentStatus.UNFULFILLED: "amber",
    FulfilmentStatus.PARTIAL: "amber",
    FulfilmentStatus.FULFILLED: "green",
    "active": "green",
    "granted": "green",
    "denied": "red",
}


def rfm_pill(segment: RfmSegment | None, href: str = "") -> Pill | None:
    return Pill(RFM[segment], _RFM_TONES.get(segment, "grey"), href) if segment else None


def order_pill(status: str) -> Pill:
    return Pill(ORDER_STATUS.get(status, status), _TONES.get(status, "grey"))


def payment_pill(status: str) -> Pill:
    return Pill(PAYMENT.get(status, status), _TONES.get(status, "grey"))


def fulfilment_pill(status: str) -> Pill:
    return Pill(FULFILMENT.get(status, status), _TONES.get(status, "grey"))


def product_pill(status: str) -> Pill:
    return Pill(PRODUCT_STATUS.get(status, status), _TONES.get(status, "grey"))
