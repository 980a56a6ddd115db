"""What shares something costly runs in one process of a run: its group is known to the process that deals out tests."""

import pytest


@pytest.mark.xdist_group("groups")
def test_a_group_stands_at_the_end_of_the_id(request: pytest.FixtureRequest) -> None:
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("no parallel processes")
    assert request.node.nodeid.endswith("@groups")
