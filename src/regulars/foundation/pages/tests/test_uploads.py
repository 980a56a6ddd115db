"""Nobody fills the disk with the files of a form that asks for none."""

import pytest
from django.core.files.uploadedfile import InMemoryUploadedFile, SimpleUploadedFile
from django.test import Client, RequestFactory

from regulars.foundation.pages.uploads import LARGEST_FORM

pytestmark = pytest.mark.django_db


class _Unread:
    def read(self, *size: int) -> bytes:
        raise AssertionError("it is read")

    readline = read


def test_of_a_large_form_nothing_is_read(client: Client) -> None:
    form = {"CONTENT_TYPE": "multipart/form-data; boundary=x", "CONTENT_LENGTH": str(LARGEST_FORM + 1)}
    answer = client.request(REQUEST_METHOD="POST", PATH_INFO="/sign-in", **form, **{"wsgi.input": _Unread()})
    assert answer.status_code == 400


def test_a_file_of_a_form_is_kept_in_memory_and_nowhere_else() -> None:
    file = RequestFactory().post("/", {"file": SimpleUploadedFile("rates.csv", bytes(5_000_000))}).FILES["file"]
    assert isinstance(file, InMemoryUploadedFile)
    assert file.size == 5_000_000
