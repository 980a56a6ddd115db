"""The eleven in plain words: who they are, what to do, and which state they show."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from regulars.foundation.pages.formats import format_number
from regulars.foundation.pages.registries import Text
from regulars.insight.rfm.rules import RfmSegment
from regulars.insight.rfm.words import NAMES


@dataclass(frozen=True)
class Words:
    """``tone`` is the colour of a state: accent, green, amber, red or grey."""

    name: Text
    meaning: Text
    advice: Text
    tone: str


WORDS: dict[RfmSegment, Words] = {
    RfmSegment.CHAMPIONS: Words(
        NAMES[RfmSegment.CHAMPIONS],
        _("They ordered lately, order often and spend the most."),
        _("Thank them, and show them what is new before anybody else sees it."),
        "accent",
    ),
    RfmSegment.LOYAL: Words(
        NAMES[RfmSegment.LOYAL],
        _("They come back again and again, and were here not long ago."),
        _("Ask for a review, or for the friend who would like the shop too."),
        "accent",
    ),
    RfmSegment.POTENTIAL_LOYALISTS: Words(
        NAMES[RfmSegment.POTENTIAL_LOYALISTS],
        _("They ordered lately and more than once: a habit is forming."),
        _("Recommend what goes with what they have."),
        "green",
    ),
    RfmSegment.NEW: Words(
        NAMES[RfmSegment.NEW],
        _("Their first order was only just now."),
        _("Welcome them, and make the second order easy."),
        "green",
    ),
    RfmSegment.PROMISING: Words(
        NAMES[RfmSegment.PROMISING],
        _("One order, not long ago, and no second one yet."),
        _("Tell them what you stand for; remind them that you are there."),
        "green",
    ),
    RfmSegment.NEEDS_ATTENTION: Words(
        NAMES[RfmSegment.NEEDS_ATTENTION],
        _("Middling in all three: not gone, and not quite here."),
        _("Offer something for a limited time that fits what they bought."),
        "amber",
    ),
    RfmSegment.ABOUT_TO_SLEEP: Words(
        NAMES[RfmSegment.ABOUT_TO_SLEEP],
        _("They ordered seldom, and it has been a while."),
        _("Write once, with what others like best."),
        "amber",
    ),
    RfmSegment.AT_RISK: Words(
        NAMES[RfmSegment.AT_RISK],
        _("They used to order often, and have gone quiet."),
        _("Win them back: write in person, with what they bought last."),
        "red",
    ),
    RfmSegment.CANT_LOSE: Words(
        NAMES[RfmSegment.CANT_LOSE],
        _("They were among the best customers, and have not been here for long."),
        _("Call them, or write as one writes to somebody one knows."),
        "red",
    ),
    RfmSegment.HIBERNATING: Words(
        NAMES[RfmSegment.HIBERNATING],
        _("Few orders, and the last one is long ago."),
        _("Write seldom, with a good reason."),
        "grey",
    ),
    RfmSegment.LOST: Words(
        NAMES[RfmSegment.LOST],
        _("Few orders, and nobody else has been away as long."),
        _("Try once more, then leave them in peace."),
        "grey",
    ),
}

CAUSES: dict[str, Text] = {  # why a stay in a segment of conditions began when it did
    "first": _("there from the start"),
    "definition": _("the conditions were changed"),
    "event": _("by what happened"),
    "time": _("by time alone"),
    "snapshot": _("by new scores"),
    "record": _("by a correction of many records"),
    "refresh": _("found by the nightly check"),
}


def deviations_in_words(count: int) -> str:
    template = ngettext(
        "The nightly check found %s membership wrong and mended it.",
        "The nightly check found %s memberships wrong and mended them.",
        count,
    )
    return template % format_number(count)
