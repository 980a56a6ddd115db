"""What the browser gets besides the pages: vendored files as they were, icons that exist, and not too much of it."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[3]
STATIC = Path(__file__).parents[1] / "static" / "pages"
TEMPLATES = sorted(SOURCE.rglob("templates/**/*.html"))
FIRST_VISIT = 300 * 1024

SHEETS = ("tokens.css", "shell.css", "pages.css")


def vendored() -> list[tuple[str, str, list[str]]]:
    """File, sha256 and licence texts of each row of the table."""
    rows = [
        line.split("|")[1:-1] for line in (STATIC / "VENDORED.md").read_text().splitlines() if line.startswith("| `")
    ]
    return [(cells[0].strip(" `"), cells[6].strip(" `"), cells[4].strip().split(", ")) for cells in rows]


def test_vendored_files_are_those_of_the_table() -> None:
    known = {name for name, _digest, _licences in vendored()}
    there = {
        str(path.relative_to(STATIC))
        for path in (STATIC / "vendor").rglob("*")
        if path.is_file() and path.suffix != ".txt"
    }
    assert known == there
    for name, digest, licences in vendored():
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest, name
        assert all((STATIC / "vendor" / "licences" / licence).exists() for licence in licences), name


def test_nothing_is_fetched_from_elsewhere() -> None:
    own = [STATIC / name for name in (*SHEETS, "shell.js", "charts.js")]
    for path in [*own, *TEMPLATES]:
        text = re.sub(r"https?://(www\.w3\.org|{{)[^\"']*", "", path.read_text())
        assert not re.search(r"(src|href|url|import)\s*[=(]\s*[\"']?https?://", text), path


def test_every_icon_that_is_used_is_in_the_sprite() -> None:
    there = set(re.findall(r'symbol id="([a-z0-9-]+)"', (STATIC / "icons.svg").read_text()))
    used = {name for path in TEMPLATES for name in re.findall(r'{% icon "([a-z0-9-]+)"', path.read_text())}
    assert used - there == set()


def test_the_sprite_holds_only_what_is_used() -> None:
    sources = [path for path in SOURCE.rglob("*") if path.suffix in {".py", ".html"}]
    quoted = {name for path in sources for name in re.findall(r"[\"']([a-z0-9-]+)[\"']", path.read_text())}
    there = set(re.findall(r'symbol id="([a-z0-9-]+)"', (STATIC / "icons.svg").read_text()))
    assert there - quoted == set()


def test_no_template_has_a_script_or_a_handler_within_it() -> None:
    for path in TEMPLATES:
        text = path.read_text()
        assert not re.search(r"<script(?![^>]* src=)[^>]*>", text), path
        assert not re.search(r"\son[a-z]+=[\"']", text), path


def test_a_first_visit_weighs_little() -> None:
    texts = ["vendor/tabler.min.css", *SHEETS, "vendor/htmx.min.js", "shell.js", "icons.svg", "icon.svg"]
    weight = sum(len(gzip.compress((STATIC / name).read_bytes(), 6)) for name in texts)
    weight += sum(
        (STATIC / "vendor" / "inter" / f"inter-{script}-wght-normal.woff2").stat().st_size
        for script in ("latin", "latin-ext")
    )
    page = 30 * 1024  # the fullest page, compressed
    assert weight + page < FIRST_VISIT


@pytest.mark.parametrize("name", ["shell.js", "charts.js"])
def test_scripts_hold_to_the_policy(name: str) -> None:
    text = (STATIC / name).read_text()
    assert "eval(" not in text
    assert "new Function" not in text
