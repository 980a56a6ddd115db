"""Campaigns and devices stand in clear where they are plain words, zones where there are such, and nowhere else."""

from typing import Any

import pytest

from regulars.connections.tracking.origins import origin_of

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"


@pytest.mark.parametrize(
    ("context", "found"),
    [
        ({}, {}),
        (
            {
                "campaign": {"name": "Spring sale", "source": "newsletter", "medium": "e-mail", "term": "x"},
                "userAgent": PHONE,
            },
            {"campaign": "Spring sale", "source": "newsletter", "medium": "e-mail", "device": "mobile"},
        ),
        ({"userAgent": "Mozilla/5.0 (X11; Linux x86_64)"}, {"device": "desktop"}),
        ({"device": {"type": "ios"}, "userAgent": PHONE}, {"device": "ios"}),
        ({"campaign": {"name": "for ada@shop.example", "source": ["a"]}, "device": {"type": 7}}, {}),
        ({"campaign": "spring", "device": "x" * 61, "userAgent": 5}, {}),
        ({"campaign": {"name": "a" * 61, "source": ""}}, {}),
        ({"timezone": "Europe/Berlin"}, {"time_zone": "Europe/Berlin"}),
        ({"timezone": "Ada's/Home"}, {}),
        ({"timezone": ["Europe/Berlin"]}, {}),
    ],
)
def test_origins(context: dict[str, Any], found: dict[str, str]) -> None:
    assert origin_of(context) == found
