"""Coupons in the navigation and the search."""

from django.utils.translation import gettext_lazy as _

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.ids import to_public
from regulars.foundation.pages.registries import NAVIGATION, SEARCH, Group, NavigationEntry, SearchHit, SearchSource
from regulars.record.coupons.models import Coupon
from regulars.record.coupons.queries import find_coupons


def find(text: str, viewer: Viewer, limit: int) -> list[SearchHit]:
    return [
        SearchHit(one.code, one.description, f"/coupons/{to_public(Coupon.PREFIX, one.uid)}", "tag")
        for one in find_coupons(text, viewer, limit)
    ]


NAVIGATION.register(
    "coupons",
    NavigationEntry(Group.SELL, _("Coupons"), "coupons", "tag", "coupons.view", order=40, by_store=True),
)
SEARCH.register("coupons", SearchSource(_("Coupons"), "coupons.view", find, "/coupons", order=45))
