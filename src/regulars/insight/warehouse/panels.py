"""What the home page says of the warehouse: nothing, unless it is late."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.pages.registries import FINDINGS, Finding, FindingSource
from regulars.insight.warehouse.queries import ALLOWED, behind, lag

_WEIGHT = 900.0  # figures and segments are of the past: staff should hear of it before what is only worth knowing


def _late(viewer: Viewer, at: datetime) -> Sequence[Finding]:
    late = behind(at)
    if late <= ALLOWED:
        return []
    positions = lag().positions
    sentence = _("Segments and RFM are %(minutes)d minutes behind: %(count)d changes wait to be taken over.") % {
        "minutes": late.total_seconds() // 60,
        "count": positions,
    }
    return [Finding(sentence, _("See whether a worker runs"), "/settings", _WEIGHT, positions)]


FINDINGS.register("warehouse.late", FindingSource("segments.view", _late))
