"""What can be done with imports."""

from regulars.connections.files.operations.applying import apply_import
from regulars.connections.files.operations.staging import (
    Staged,
    change_options,
    discard_import,
    record_copy,
    stage_import,
    start_import,
    start_undo,
)
from regulars.connections.files.operations.undoing import undo_import

__all__ = ["Staged", "apply_import", "change_options", "discard_import", "record_copy", "stage_import", "start_import", "start_undo", "undo_import"]
