"""The WordPress plugin: run by PHP on a WordPress of memory where PHP is there; the zip and the code to paste always."""

import base64
import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from regulars.connections.woocommerce.plugin_zip import NAME, connection_code, plugin_zip

PLUGIN = Path(__file__).parents[1] / "plugin"
RUN = Path(__file__).parent / "wordpress" / "run.php"
PHP = shutil.which("php") or ""
ID = "0123456789abcdef0123456789abcdef"
SET = {
    "address": "https://crm.test",
    "browser_key": "wkb_1_b",
    "server_key": "wks_1_s",
    "consent": "given",
    "early_email": "consent",
    "newsletter": "yes",
    "newsletter_text": "News & offers",
}
needs_php = pytest.mark.skipif(not PHP, reason="there is no php on this machine")


def run(*steps: object, **settings: str) -> dict[str, Any]:
    """One shopper's steps, under the settings given besides those of ``SET``; what came of them."""
    given = {"plugin": str(PLUGIN), "steps": steps, "options": {"regulars_settings": SET | settings}}
    done = subprocess.run(
        [PHP, "-n", str(RUN)], input=json.dumps(given), capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def calls(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [call for post in result["posts"] for call in post["body"]["batch"]]


def told(result: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Event, sku and quantity of each call about one product; event, all of them, and None of each about the cart."""
    found: list[tuple[str, Any, Any]] = []
    for call in calls(result):
        said = call.get("properties", {})
        if "products" in said:
            found.append((call["event"], [(one["sku"], one["quantity"]) for one in said["products"]], None))
        elif call["type"] == "track":
            found.append((call["event"], said["sku"], said["quantity"]))
        else:
            found.append((call["type"], call["traits"]["email"], call.get("userId")))
    return found


@needs_php
def test_every_file_is_php() -> None:
    for path in sorted(PLUGIN.rglob("*.php")):
        assert subprocess.run([PHP, "-n", "-l", str(path)], capture_output=True, check=False).returncode == 0, path


@needs_php
def test_what_changes_in_the_cart_is_told_once_and_nobody_waits_for_it() -> None:
    result = run(
        ["add", [10, 2]],
        ["add", [20, 1, 21, {"size": "M"}]],
        ["end"],
        ["end"],
        ["quantity", ["10-0", 1]],
        ["remove", "20-21"],
        ["end"],
    )
    assert told(result) == [
        ("Product Added", "MUG", 2),
        ("Product Added", "SHIRT-M", 1),
        ("Product Removed", "MUG", 1),
        ("Product Removed", "SHIRT-M", 1),
    ]
    assert len(result["posts"]) == 2
    post = result["posts"][0]
    assert post["url"] == "https://crm.test/v1/batch"
    assert (post["how"]["blocking"], post["how"]["timeout"], post["how"]["redirection"]) == (False, 1, 0)
    assert post["how"]["headers"]["Authorization"] == "Basic " + base64.b64encode(b"wks_1_s:").decode()
    call = calls(result)[1]
    token = result["session"]["regulars_cart"]
    assert len(token) == 32
    assert call["anonymousId"] == "cart-" + hashlib.sha256(token.encode()).hexdigest()[:32]
    assert call["properties"] == {
        "cart_id": token,
        "currency": "EUR",
        "recovery_url": result["link"],
        "quantity": 1,
        "product_id": "20",
        "sku": "SHIRT-M",
        "name": "Shirt - M",
        "category": "Kitchen & Co",
        "price": 20,
        "url": "https://shop.test/p/21",
        "image_url": "",
        "variant": "M",
        "variant_id": "21",
    }


@needs_php
def test_cart_and_checkout_state_all_of_it_once() -> None:
    result = run(
        ["cookies", {"regulars_id": ID}],
        ["add", [10, 1]],
        ["end"],
        ["page", {"is": "cart"}],
        ["end"],
        ["page", {"is": "cart"}],
        ["end"],
        ["page", {"is": "checkout"}],
        ["end"],
    )
    assert told(result) == [
        ("Product Added", "MUG", 1),
        ("Cart Viewed", [("MUG", 1)], None),
        ("Checkout Started", [("MUG", 1)], None),
    ]
    assert {call["anonymousId"] for call in calls(result)} == {ID}
    assert len({call["messageId"] for call in calls(result)}) == 3


@needs_php
@pytest.mark.parametrize(
    ("step", "consent", "is_told"),
    [
        (["cookies", {}], "given", True),
        (["cookies", {}], "cookieless", True),
        (["cookies", {}], "required", False),
        (["cookies", {"regulars_id": ID}], "required", True),
        (["cookies", {"regulars_id": ID + "<script>"}], "required", False),
        (["server", {"HTTP_SEC_GPC": "1"}], "given", False),
        (["server", {"HTTP_DNT": "1"}], "given", False),
        (["capabilities", ["manage_woocommerce"]], "given", False),
    ],
)
def test_nothing_is_told_of_who_did_not_agree_or_runs_the_shop(step: list[Any], consent: str, is_told: bool) -> None:
    result = run(step, ["add", [10, 1]], ["page", {"is": "checkout"}], ["end"], consent=consent)
    assert bool(result["posts"]) is is_told
    assert result["lines"] == {"10": 1}


@needs_php
def test_where_nobody_answers_the_shop_goes_on_and_asks_again_later() -> None:
    result = run(["reachable", False], ["add", [10, 1]], ["end"], ["add", [10, 1]], ["end"])
    assert result["posts"] == ["failed"]
    assert result["lines"] == {"10": 2}


@needs_php
def test_an_order_carries_the_carts_token_and_the_next_cart_is_another() -> None:
    result = run(
        ["cookies", {"regulars_id": ID}],
        ["add", [10, 1]],
        ["end"],
        ["order", {"regulars_newsletter": 1}],
        ["empty"],
        ["end"],
        ["add", [20, 1]],
        ["order", {}],
        ["end"],
    )
    first, second = result["orders"]
    assert first["_regulars_cart"] == calls(result)[0]["properties"]["cart_id"]
    assert second["_regulars_cart"] == calls(result)[-1]["properties"]["cart_id"] != first["_regulars_cart"]
    at = first["_regulars_consent"].pop("at")
    assert (len(at), at[-1]) == (20, "Z")
    assert first["_regulars_consent"] == {
        "agreed": True,
        "channel": "email",
        "text": "News & offers",
        "source": "checkout",
    }
    assert "_regulars_consent" not in second
    assert told(result) == [
        ("Product Added", "MUG", 1),
        ("identify", "buyer@example.com", None),
        ("identify", "buyer@example.com", None),
        ("Product Added", "SHIRT", 1),
    ]


@needs_php
def test_a_draft_of_the_block_is_no_order_yet() -> None:
    """The block saves a draft while the shopper types: nobody is told of the address, and a cart that is emptied then is the same cart."""
    draft = ["block", [{"additional_fields": {}}]]
    began = [["cookies", {"regulars_id": ID}], ["add", [10, 1]], ["end"], draft]
    given_up = run(*began, ["empty"], ["end"], ["add", [20, 1]], ["end"])
    assert told(given_up) == [("Product Added", "MUG", 1), ("Product Removed", "MUG", 1), ("Product Added", "SHIRT", 1)]
    assert len({call["properties"]["cart_id"] for call in calls(given_up)}) == 1
    placed = run(*began, ["placed"], ["empty"], ["end"], ["add", [20, 1]], ["end"])
    assert told(placed) == [
        ("Product Added", "MUG", 1),
        ("identify", "buyer@example.com", None),
        ("Product Added", "SHIRT", 1),
    ]
    assert placed["orders"][0]["_regulars_cart"] != placed["session"]["regulars_cart"]


@needs_php
def test_the_cart_of_an_account_is_the_same_after_signing_in_again() -> None:
    result = run(
        *[["user", 7], ["add", [10, 2]], ["end"]],
        *[["sign out"], ["end"]],
        *[["user", 7], ["add", [10, 2]], ["end"]],  # WooCommerce puts back what it kept with the account
        *[["add", [20, 1]], ["end"]],
    )
    assert told(result) == [
        ("identify", "account@example.com", "7"),
        ("Product Added", "MUG", 2),
        ("identify", "account@example.com", "7"),
        ("Product Added", "SHIRT", 1),
    ]
    assert len({call["properties"]["cart_id"] for call in calls(result) if call["type"] == "track"}) == 1


@needs_php
def test_the_block_checkout_does_the_same_and_a_box_not_shown_counts_for_nothing() -> None:
    ticked = ["block", [{"additional_fields": {"regulars/newsletter": True}}, {"billing_address": {}}]]
    result = run(["add", [10, 1]], ticked, ["fields"])
    assert result["orders"][0]["_regulars_consent"]["text"] == "News & offers"
    assert len(result["orders"][0]["_regulars_cart"]) == 32
    assert result["field"] == {
        "id": "regulars/newsletter",
        "label": "News & offers",
        "location": "contact",
        "type": "checkbox",
    }
    assert json.loads(result["printed"])["billing"]["regulars_newsletter"]["default"] == 0
    left = ["block", [{"additional_fields": {"regulars/newsletter": answer}} for answer in (True, False)]]
    assert list(run(["add", [10, 1]], left)["orders"][0]) == ["_regulars_cart"]
    hidden = run(["add", [10, 1]], ticked, ["fields"], newsletter="no")
    assert list(hidden["orders"][0]) == ["_regulars_cart"]
    assert (hidden["field"], hidden["printed"]) == (None, '{"billing":[]}')


@needs_php
@pytest.mark.parametrize(
    ("when", "agreed", "nonce", "is_told"),
    [
        ("consent", "1", "nonce-regulars_email", True),
        ("consent", "", "nonce-regulars_email", False),
        ("always", "", "nonce-regulars_email", True),
        ("never", "1", "nonce-regulars_email", False),
        ("always", "1", "wrong", False),
    ],
)
def test_an_address_is_told_before_the_order_only_as_it_is_set(
    when: str, agreed: str, nonce: str, is_told: bool
) -> None:
    typed = {"email": "early@example.com", "agreed": agreed, "nonce": nonce}
    result = run(["add", [10, 1]], ["typed", typed], early_email=when)
    assert told(run(["add", [10, 1]], ["typed", typed], ["end"], early_email=when))[:2] == (
        [("identify", "early@example.com", None), ("Checkout Started", [("MUG", 1)], None)]
        if is_told
        else [("Product Added", "MUG", 1)]
    )
    assert result["printed"] == ("nonce" if nonce == "wrong" else "")


@needs_php
def test_an_account_is_introduced_once_and_staff_never() -> None:
    account = {"ID": 7, "user_email": "a@example.com"}
    result = run(
        ["cookies", {"regulars_id": ID}],
        ["sign in", account],
        ["user", 7],
        ["add", [10, 1]],
        ["end"],
        ["add", [10, 1]],
        ["end"],
    )
    assert told(result) == [
        ("identify", "a@example.com", "7"),
        ("identify", "account@example.com", "7"),
        ("Product Added", "MUG", 1),
        ("Product Added", "MUG", 1),
    ]
    assert {call["userId"] for call in calls(result)} == {"7"}
    staff = run(["cookies", {"regulars_id": ID}], ["sign in", account | {"caps": ["edit_posts"]}], ["end"])
    assert staff["posts"] == []


@needs_php
def test_a_signed_link_brings_the_cart_back_elsewhere_and_no_other_does() -> None:
    filled = [["add", [10, 2]], ["add", [20, 1, 21, {"size": "M"}]], ["end"]]
    secret = {"regulars_link_secret": "s" * 64}

    def follow(change: str, *between: list[Any]) -> dict[str, Any]:
        """After a shopper filled a cart, somebody else follows its link, changed at one place."""
        script = [*filled, ["another device"], *between, ["follow", change], ["end"]]
        given = {"plugin": str(PLUGIN), "steps": script, "options": {"regulars_settings": SET, **secret}}
        done = subprocess.run(
            [PHP, "-n", str(RUN)], input=json.dumps(given), capture_output=True, text=True, timeout=20, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    forged = follow("0" * 32 + "." + "0" * 32)
    assert (forged["lines"], forged["notices"]) == ([], ["This cart is no longer there."])
    assert forged["redirects"] == ["/cart/?utm_source=mail"]
    for odd in ("", "../../x", "0" * 32, "0" * 32 + "." + "é" * 16):
        assert follow(odd)["lines"] == []

    back = follow("$link")
    assert back["lines"] == {"10": 2, "21": 1}
    assert back["session"]["regulars_cart"] == calls(back)[0]["properties"]["cart_id"]
    assert told(back) == [("Product Added", "MUG", 2), ("Product Added", "SHIRT-M", 1)]  # not told twice
    mixed = follow("$link", ["add", [10, 5]])
    assert mixed["lines"] == {"10": 5, "21": 1}
    assert mixed["session"]["regulars_cart"] != calls(mixed)[0]["properties"]["cart_id"]


@needs_php
def test_pages_say_what_they_are_about_and_nothing_of_who_looks() -> None:
    result = run(
        ["user", 7],
        ["page", {"is": "product", "id": 10}],
        ["tag", "regulars-tracker"],
        ["tag", "other"],
        consent="required",
    )
    script = result["scripts"]["regulars-tracker"]
    assert script["url"] == "https://crm.test/regulars.js"
    assert "</script" not in script["before"]
    layer = json.loads(script["before"].partition("push(...")[2].removesuffix(");"))
    assert [(entry[0], entry[1]["sku"], entry[1]["name"]) for entry in layer] == [("product", "MUG", "Mug & Plate")]
    assert result["printed"] == (
        '<script data-key="wkb_1_b" data-consent="required" src="x"></script><script src="x"></script>'
    )
    searched = run(["page", {"is": "search", "query": "mug"}])["scripts"]["regulars-tracker"]["before"]
    assert '["track","Products Searched",{"query":"mug"}]' in searched
    listed = run(["page", {"is": "category", "object": {"term_id": 3, "name": "Cups"}}])["scripts"]["regulars-tracker"]
    assert '["track","Product List Viewed",{"list_id":"3","category":"Cups"}]' in listed["before"]


@needs_php
def test_settings_are_cleaned_and_shown_without_the_secret() -> None:
    code = connection_code("https://new.test/crm/", "wkb_2", "wks_2")
    saved = run(["save", {"code": code, "consent": "nonsense", "server_key": ""}])
    assert saved["clean"] == SET | {
        "address": "https://new.test/crm",
        "browser_key": "wkb_2",
        "server_key": "wks_2",
        "consent": "required",
    }
    for wrong in (
        "x",
        "regulars1.####",
        "regulars1." + base64.b64encode(b"[1]").decode(),
        connection_code("javascript:x", "a", "b"),
    ):
        refused = run(["save", {"code": wrong, "server_key": ""}])
        assert (refused["clean"], refused["errors"]) == (SET, ["This is no connection code of Regulars."])
    shown = run(["capabilities", ["manage_woocommerce"]], ["settings page"], newsletter_text='"><script>')
    assert shown["menu"][3] == "manage_woocommerce"
    assert "wks_1_s" not in shown["printed"]
    assert "<script>" not in shown["printed"]
    assert "https://crm.test" in shown["printed"]
    assert run(["settings page"])["printed"] == ""
    linked = '<a href="https://shop.test/wp-admin/admin.php?page=regulars">Settings</a>off'
    assert run(["links"], server_key="")["printed"] == linked
    assert "Global Privacy Control" in saved["policy"]


@needs_php
def test_without_a_connection_nothing_is_hooked() -> None:
    result = run(["add", [10, 1]], ["page", {"is": "checkout"}], ["end"], server_key="")
    assert (result["posts"], result["scripts"]) == ([], [])


def test_the_zip_is_what_wordpress_takes_and_always_the_same() -> None:
    packed = plugin_zip()
    plugin_zip.cache_clear()
    assert plugin_zip() == packed
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = archive.namelist()
        assert names == sorted(names)
        assert {name.partition("/")[0] for name in names} == {NAME}
        assert {f"{NAME}/{NAME}.php", f"{NAME}/readme.txt", f"{NAME}/LICENSE", f"{NAME}/assets/shop.js"} <= set(names)
        assert archive.read(f"{NAME}/{NAME}.php") == (PLUGIN / f"{NAME}.php").read_bytes()


def test_versions_agree() -> None:
    main, readme = (PLUGIN / f"{NAME}.php").read_text(), (PLUGIN / "readme.txt").read_text()
    version = main.partition("* Version:")[2].split()[0]
    assert f"define( 'REGULARS_VERSION', '{version}' );" in main
    assert f"Stable tag: {version}\n" in readme
