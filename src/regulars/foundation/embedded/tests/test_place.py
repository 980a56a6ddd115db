from pathlib import Path

import pytest
from django.db import connection

from regulars.foundation.embedded.place import SOCKET_PATH_LIMIT, EmbeddedPlace


def test_socket_of_a_deep_folder_moves_to_a_short_path() -> None:
    place = EmbeddedPlace.under(Path("/" + "deep/" * 40))
    assert len(bytes(place.socket_folder / ".s.PGSQL.5432.lock")) <= SOCKET_PATH_LIMIT


@pytest.mark.django_db
def test_the_run_has_a_database_of_its_own() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_database() LIKE 'test_%%', current_setting('server_encoding'), current_setting('timezone')"
        )
        assert cursor.fetchone() == (True, "UTF8", "UTC")
