"""An upload goes under seal as it arrives: no plain copy of it ever stands anywhere."""

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.db import Error

from regulars.connections.files.copies import CopyWriter, remove_copy
from regulars.connections.files.errors import RefusedFile
from regulars.connections.files.models import Import
from regulars.connections.files.operations import Staged
from regulars.foundation import clock
from regulars.foundation.ids import new_uid
from regulars.foundation.sealing import new_key

LARGEST_UPLOAD = 2 << 30


class SealedUpload(UploadedFile):  # type: ignore[type-arg]  # not generic when it runs
    """What the form gets for the file: the sealed copy, or why there is none."""

    def __init__(self, name: str, copy: Staged | RefusedFile | Error) -> None:
        super().__init__(name=name, size=copy.copied.size if isinstance(copy, Staged) else 0)
        self._copy = copy

    def staged(self) -> Staged:
        """Raises what it was refused for."""
        if isinstance(self._copy, Staged):
            return self._copy
        raise self._copy


class SealingHandler(FileUploadHandler):
    """Seals the file of a form; of several the last. Why it is refused is kept for the view: an answer before all was sent reaches nobody."""

    chunk_size = 1 << 16

    def new_file(self, *arguments: object, **named: object) -> None:
        super().new_file(*arguments, **named)  # type: ignore[arg-type]
        self.forget_unclaimed()
        self.uid, self.key = new_uid(), new_key()
        self.writer = CopyWriter(self.uid, self.key, clock.now(), LARGEST_UPLOAD)
        self.refusal: RefusedFile | Error | None = None

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.refusal is None:
            try:
                self.writer.write(raw_data)
            except (RefusedFile, Error) as refusal:
                self.refusal = refusal

    def file_complete(self, file_size: int) -> SealedUpload:
        name = self.file_name or "file"
        if self.refusal is None:
            try:
                return SealedUpload(name, Staged(self.uid, self.key, self.writer.finish(), name))
            except (RefusedFile, Error) as refusal:
                self.refusal = refusal
        return SealedUpload(name, self.refusal)

    def forget_unclaimed(self) -> None:
        """After the view: a copy that no import claims goes, because it was refused or cut off, or the form was."""
        if hasattr(self, "uid") and not Import.objects.filter(uid=self.uid).exists():
            remove_copy(self.uid)
