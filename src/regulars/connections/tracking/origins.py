"""Where a visit came from and on which device, of a call's context (segment.com/docs/connections/spec/common). Pure."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from regulars.record.customers.zones import known_zone

_CAMPAIGN = {"campaign": "name", "source": "source", "medium": "medium"}
_WORD = re.compile(r"\w[\w .+-]{0,59}")  # anything else may speak of a person, and stays sealed


def origin_of(context: Mapping[str, Any]) -> dict[str, str]:
    """``campaign``, ``source``, ``medium`` and ``device``, as far as they are said and are plain words; ``time_zone``, if there is such."""
    said = _words_of(context) if "campaign" in context or "device" in context else {}
    if not isinstance(context.get("device"), dict) and (device := _device_of(context.get("userAgent"))):
        said["device"] = device
    if "timezone" in context and (zone := known_zone(context["timezone"])):
        said["time_zone"] = zone
    return said


def _words_of(context: Mapping[str, Any]) -> dict[str, str]:
    campaign, device = context.get("campaign"), context.get("device")
    found = {name: campaign.get(key) for name, key in _CAMPAIGN.items()} if isinstance(campaign, dict) else {}
    if isinstance(device, dict):
        found["device"] = device.get("type")
    return {name: value for name, value in found.items() if isinstance(value, str) and _WORD.fullmatch(value)}


def _device_of(agent: object) -> str:
    """Mobile or desktop, as browsers tell it (developer.mozilla.org, 'Browser detection using the user agent')."""
    return _known(agent) if isinstance(agent, str) and agent else ""


@lru_cache(1024)
def _known(agent: str) -> str:
    return "mobile" if "Mobi" in agent else "desktop"
