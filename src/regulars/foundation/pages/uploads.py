"""Files of forms. What is large is taken in by a handler of its own, on the page that asks for it; anywhere else it would fill the disk."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler

LARGEST_FORM = 6_000_000  # bytes, with all its files


class SmallFiles(MemoryFileUploadHandler):
    """Keeps files in memory, as long as the page needs them. Of a larger form nothing is read, whoever sends it: Django answers 400."""

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *more: Any, **named: Any) -> None:
        if content_length > LARGEST_FORM:
            raise RequestDataTooBig("This is too large.")
        self.activated = True
