"""The documentation says what the code does: pages made from the code are as it stands."""

import pytest

from docs import generate
from tests.database import ROOT

DOCS = ROOT / "docs"


@pytest.mark.parametrize("page", sorted(generate.PAGES))
def test_made_pages_are_as_the_code_stands(page: str) -> None:
    assert (DOCS / page).read_text() == generate.PAGES[page](), "run: python docs/generate.py"
