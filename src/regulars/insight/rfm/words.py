"""What the eleven are called."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from regulars.foundation.pages.registries import Text
from regulars.insight.rfm.rules import RfmSegment

NAMES: dict[RfmSegment, Text] = {
    RfmSegment.CHAMPIONS: _("Champions"),
    RfmSegment.LOYAL: _("Loyal"),
    RfmSegment.POTENTIAL_LOYALISTS: _("Potential Loyalists"),
    RfmSegment.NEW: _("New"),
    RfmSegment.PROMISING: _("Promising"),
    RfmSegment.NEEDS_ATTENTION: _("Needs Attention"),
    RfmSegment.ABOUT_TO_SLEEP: _("About to Sleep"),
    RfmSegment.AT_RISK: _("At Risk"),
    RfmSegment.CANT_LOSE: _("Can't Lose"),
    RfmSegment.HIBERNATING: _("Hibernating"),
    RfmSegment.LOST: _("Lost"),
}


def names_by_key() -> Mapping[str, str]:
    return {key.value: str(name) for key, name in NAMES.items()}
