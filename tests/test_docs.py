"""The documentation says what the code does: pages made from the code are as it stands, and the site builds without a dead link."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from docs import generate
from tests.database import ROOT


@pytest.mark.parametrize("page", sorted(generate.PAGES))
def test_made_pages_are_as_the_code_stands(page: str) -> None:
    assert (ROOT / "docs" / page).read_text() == generate.PAGES[page](), "run: python docs/generate.py"


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-2000:]
    page = (tmp_path / "index.html").read_text()
    assert "fonts.googleapis.com" not in page
    assert "cdn" not in page.lower()
