"""What can be done with imports."""

from regulars.connections.files.operations.applying import apply_import
from regulars.connections.files.operations.checking import (
    check_list,
    choose_columns,
    is_checked,
    stage_list,
    start_list,
)
from regulars.connections.files.operations.listing import list_of
from regulars.connections.files.operations.staging import (
    Staged,
    address_of,
    can_continue,
    change_options,
    discard_import,
    drop_copy,
    record_copy,
    stage_import,
    start_import,
    start_undo,
    sweep_copies,
    take_copy,
)
from regulars.connections.files.operations.undoing import undo_import
from regulars.connections.files.operations.writing import LABELS

__all__ = [
    "LABELS",
    "Staged",
    "address_of",
    "apply_import",
    "can_continue",
    "change_options",
    "check_list",
    "choose_columns",
    "discard_import",
    "drop_copy",
    "is_checked",
    "list_of",
    "record_copy",
    "stage_import",
    "stage_list",
    "start_import",
    "start_list",
    "start_undo",
    "sweep_copies",
    "take_copy",
    "undo_import",
]
