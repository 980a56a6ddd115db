"""What can be done with imports."""

from regulars.connections.files.operations.applying import apply_import
from regulars.connections.files.operations.staging import (
    Staged,
    can_continue,
    change_options,
    discard_import,
    drop_copy,
    record_copy,
    stage_import,
    start_import,
    start_undo,
    sweep_copies,
)
from regulars.connections.files.operations.undoing import undo_import
from regulars.connections.files.operations.writing import LABELS

__all__ = [
    "LABELS",
    "Staged",
    "apply_import",
    "can_continue",
    "change_options",
    "discard_import",
    "drop_copy",
    "record_copy",
    "stage_import",
    "start_import",
    "start_undo",
    "sweep_copies",
    "undo_import",
]
