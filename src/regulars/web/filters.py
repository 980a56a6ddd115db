"""What filters of several lists have in common: their choices, and how they read as words."""

from django.utils.translation import gettext

from regulars.foundation.access.viewer import Viewer
from regulars.foundation.pages.formats import country_name
from regulars.foundation.pages.lists import Choices, as_row_id
from regulars.record.catalog.queries import titles_of
from regulars.record.coupons.queries import code_of
from regulars.web.queries.customers import countries_of_customers


def countries(viewer: Viewer) -> Choices:
    """Where customers live, by name."""
    codes = countries_of_customers(viewer.store_ids)
    return sorted(((code, country_name(code)) for code in codes), key=lambda pair: pair[1])


def describe_product(value: str) -> str:
    return titles_of([as_row_id(value)]).get(as_row_id(value), value)


def describe_coupon(value: str) -> str:
    return code_of(as_row_id(value)) or value


def yes_or_no(value: str) -> str:
    return gettext("yes") if value in {"yes", "1"} else gettext("no")
