"""Only what Shopify signed is Shopify's: over raw bytes, with the present secret or the one before."""

import pytest

from regulars.connections.base.platforms import BadSignature, Delivery
from regulars.connections.base.signing import signature_of
from regulars.connections.shopify.domains import NotAShop, origin_of, shop_domain
from regulars.connections.shopify.signing import is_query_signed
from regulars.connections.shopify.tests.shop import PLATFORM, SECRET, account

BODY = b'{"id":820982911946154508,"total_price":"403.00"}'
SIGNATURE = "gHDQy76+38chKmG/hW2suoASSgJPriCh7sYbzaB7OQI="  # of the reference, with the secret 'hush'
HEADERS = {
    "x-shopify-hmac-sha256": SIGNATURE,
    "x-shopify-topic": "orders/create",
    "x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
    "x-shopify-shop-domain": "tea.myshopify.com",
}


def test_the_vector_of_the_reference() -> None:
    assert signature_of(BODY, SECRET) == SIGNATURE.encode()
    expected = Delivery("orders/create", "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043")
    assert PLATFORM.authenticate(account(), HEADERS, BODY) == expected


def test_the_newer_headers_without_their_x() -> None:
    newer = {name.removeprefix("x-"): value for name, value in HEADERS.items()}
    assert PLATFORM.authenticate(account(), newer, BODY) == PLATFORM.authenticate(account(), HEADERS, BODY)


def test_the_secret_before_is_good_too() -> None:
    assert PLATFORM.authenticate(account(secrets=("new", SECRET)), HEADERS, BODY)
    with pytest.raises(BadSignature):
        PLATFORM.authenticate(account(secrets=("new",)), HEADERS, BODY)
    with pytest.raises(BadSignature):
        PLATFORM.authenticate(account(secrets=()), HEADERS, BODY)


@pytest.mark.parametrize("at", range(len(BODY)))
def test_any_other_byte_of_the_body_is_refused(at: int) -> None:
    with pytest.raises(BadSignature):
        PLATFORM.authenticate(account(), HEADERS, BODY[:at] + bytes([BODY[at] ^ 1]) + BODY[at + 1 :])


@pytest.mark.parametrize("at", range(len(SIGNATURE)))
def test_any_other_letter_of_the_signature_is_refused(at: int) -> None:
    other = "A" if SIGNATURE[at] != "A" else "B"
    changed = HEADERS | {"x-shopify-hmac-sha256": SIGNATURE[:at] + other + SIGNATURE[at + 1 :]}
    with pytest.raises(BadSignature):
        PLATFORM.authenticate(account(), changed, BODY)


@pytest.mark.parametrize("given", ["", "é", "\ud800", "é" + SIGNATURE, SIGNATURE + " ", SIGNATURE * 50, None])
def test_a_strange_signature_is_refused_and_raises_nothing_else(given: str | None) -> None:
    changed = {name: value for name, value in HEADERS.items() if name != "x-shopify-hmac-sha256"}
    with pytest.raises(BadSignature):
        PLATFORM.authenticate(account(), changed if given is None else changed | {"x-shopify-hmac-sha256": given}, BODY)


@pytest.mark.parametrize("body", [b' {"id" : 1 }', b'{"b":1,\r\n"a":2}', '{"note":"🍓"}'.encode()])
def test_odd_bytes_are_good_as_they_came(body: bytes) -> None:
    signed = HEADERS | {"x-shopify-hmac-sha256": signature_of(body, SECRET).decode()}
    assert PLATFORM.authenticate(account(), signed, body)


def test_a_delivery_of_another_shop_is_refused() -> None:
    with pytest.raises(BadSignature, match="another shop"):
        PLATFORM.authenticate(account(), HEADERS | {"x-shopify-shop-domain": "coffee.myshopify.com"}, BODY)


# --- the query of an installation ---

# https://github.com/Shopify/shopify-api-ruby: the example of the documents, secret 'hush'
QUERY = [
    ("code", "0907a61c0c8d55e99db179b68161bc00"),
    ("hmac", "700e2dadb827fcc8609e9d5ce208b2e9cdaab9df07390d2cbca10d7c328fc4bf"),
    ("shop", "some-shop.myshopify.com"),
    ("state", "0.6784241404160823"),
    ("timestamp", "1337178173"),
]


def test_the_documents_own_query() -> None:
    assert is_query_signed("hush", QUERY)
    assert is_query_signed("hush", QUERY[::-1])
    assert not is_query_signed("hash", QUERY)


@pytest.mark.parametrize("at", [0, 2, 3, 4])
def test_another_value_in_the_query_is_refused(at: int) -> None:
    changed = [*QUERY[:at], (QUERY[at][0], QUERY[at][1] + "0"), *QUERY[at + 1 :]]
    assert not is_query_signed("hush", changed)


def test_a_parameter_more_or_less_is_refused() -> None:
    assert not is_query_signed("hush", [*QUERY, ("more", "1")])
    assert not is_query_signed("hush", QUERY[:1] + QUERY[2:])
    assert not is_query_signed("hush", [("code&shop", "x"), QUERY[1]])


# --- whose address it is ---


@pytest.mark.parametrize(
    "domain", ["tea.myshopify.com", "a.myshopify.com", "9-lives.myshopify.com", " Tea.MyShopify.com "]
)
def test_shops(domain: str) -> None:
    assert shop_domain(domain) == domain.strip().lower()


@pytest.mark.parametrize(
    "domain",
    [
        "evil.tld",
        "tea.myshopify.com.evil.tld",
        "evil.tld/tea.myshopify.com",
        "evil.tld#.myshopify.com",
        "evil.tld?.myshopify.com",
        "tea.myshopify.com@evil.tld",
        "evil.tld\\.myshopify.com",
        "-tea.myshopify.com",
        "a.b.myshopify.com",
        ".myshopify.com",
        "myshopify.com",
        "tea.myshopify.com:8443",
        "téa.myshopify.com",
        "tea.myshopify.com\nevil.tld",
        "tea.myshopify.io",
        "",
    ],
)
def test_no_shops(domain: str) -> None:
    with pytest.raises(NotAShop):
        shop_domain(domain)
    with pytest.raises(NotAShop):
        origin_of(f"https://{domain}")


def test_a_shop_is_called_at_its_own_domain() -> None:
    assert origin_of("https://tea.myshopify.com") == "https://tea.myshopify.com"
