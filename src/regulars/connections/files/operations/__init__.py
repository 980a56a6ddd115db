"""What can be done with imports."""

from regulars.connections.files.operations.applying import apply_import
from regulars.connections.files.operations.staging import change_options, discard_import, stage_import
from regulars.connections.files.operations.undoing import undo_import

__all__ = ["apply_import", "change_options", "discard_import", "stage_import", "undo_import"]
