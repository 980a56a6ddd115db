import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from regulars.foundation.embedded.place import EmbeddedPlace
from regulars.foundation.embedded.server import EmbeddedServer


@pytest.fixture
def home() -> Iterator[Path]:
    """A data folder of its own, in a short path that every account can enter."""
    folder = Path(tempfile.mkdtemp(prefix="regulars-e-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(EmbeddedPlace.under(home))
    yield server
    server.stop(at_once=True)
