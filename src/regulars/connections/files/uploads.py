"""An upload goes under seal as it arrives: no plain copy of it ever stands on the disk."""

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from regulars.connections.files.copies import CopyWriter
from regulars.connections.files.errors import RefusedFile
from regulars.connections.files.models import Import
from regulars.connections.files.operations import Staged
from regulars.foundation.ids import new_uid
from regulars.foundation.sealing import new_key

LARGEST_UPLOAD = 2 << 30


class SealedUpload(UploadedFile):  # type: ignore[type-arg]  # not generic when it runs
    """What the form gets for the file: the sealed copy, or why there is none."""

    def __init__(self, name: str, staged: Staged | None, refusal: RefusedFile | None) -> None:
        super().__init__(name=name, size=staged.copied.size if staged else 0)
        self.staged = staged
        self.refusal = refusal


class SealingHandler(FileUploadHandler):
    """Seals the first file of a form. A refusal is kept for the view to show."""

    chunk_size = 1 << 16

    def new_file(self, *arguments: object, **named: object) -> None:
        super().new_file(*arguments, **named)  # type: ignore[arg-type]
        self.uid, self.key = new_uid(), new_key()
        self.writer = CopyWriter(self.uid, self.key, LARGEST_UPLOAD)
        self.refusal: RefusedFile | None = None

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.refusal is None:
            try:
                self.writer.write(raw_data)
            except RefusedFile as refusal:
                self._refuse(refusal)

    def file_complete(self, file_size: int) -> SealedUpload:
        staged = None
        if self.refusal is None:
            try:
                staged = Staged(self.uid, self.key, self.writer.finish(), self.file_name or "file")
            except RefusedFile as refusal:
                self._refuse(refusal)
        return SealedUpload(self.file_name or "file", staged, self.refusal)

    def upload_interrupted(self) -> None:
        if hasattr(self, "writer"):
            self.writer.abandon()

    def forget_unclaimed(self) -> None:
        """After the view: a copy that no import claims, because the form was refused, goes."""
        if hasattr(self, "uid") and not Import.objects.filter(uid=self.uid).exists():
            self.writer.abandon()

    def _refuse(self, refusal: RefusedFile) -> None:
        self.refusal = refusal
        self.writer.abandon()
