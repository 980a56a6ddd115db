import httpx
def test_x(shop_address: str) -> None:
    with httpx.Client(base_url=shop_address, follow_redirects=True, timeout=30) as c:
        a = c.get("/sign-in")
        raise AssertionError(f"{a.status_code} {dict(c.cookies)} {a.url} {a.text[:300]}")
