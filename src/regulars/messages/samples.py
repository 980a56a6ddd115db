"""A made-up person, for previews and for checking a template before it is kept."""

from typing import Any

SAMPLE: dict[str, Any] = {
    "to": {"address": "ada@shop.example", "name": "Ada Okafor"},
    "from": {"address": "hello@shop.example", "name": "The shop"},
    "message_id": "<00000000000000000000000000000000@shop.example>",
    "date": "Mon, 02 Nov 2026 10:00:00 +0000",
    "is_marketing": True,
    "customer": {"name": "Ada Okafor", "first_name": "Ada", "language": "en", "country": "GB"},
    "shop": {"name": "The shop", "website": "https://shop.example", "postal_address": "1 High Street, London N1 1AA"},
    "products": [
        {"title": "Small popcorn holder", "price": "£0.85", "ordered_on": "14 August 2026", "url": "", "image_url": ""},
        {
            "title": "White hanging heart light holder",
            "price": "£2.95",
            "ordered_on": "14 August 2026",
            "url": "",
            "image_url": "",
        },
        {
            "title": "Jumbo bag red retrospot",
            "price": "£2.08",
            "ordered_on": "2 August 2026",
            "url": "",
            "image_url": "",
        },
    ],
    "cart": {
        "lines": [
            {
                "title": "Small popcorn holder",
                "quantity": 2,
                "price": "£0.85",
                "total": "£1.70",
                "url": "",
                "image_url": "",
            },
            {
                "title": "Jumbo bag red retrospot",
                "quantity": 1,
                "price": "£2.08",
                "total": "£2.08",
                "url": "",
                "image_url": "",
            },
        ],
        "value": "£3.78",
        "url": "https://shop.example/cart/sample",
    },
    "coupon": {"code": "BACK-7K3M9QZT4WXP", "ends_on": "16 November 2026"},
    "links": {
        "unsubscribe": "https://shop.example/unsubscribe/sample",
        "preferences": "https://shop.example/preferences/sample",
    },
}
