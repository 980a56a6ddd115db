"""What happens to imports."""

from datetime import datetime

from regulars.record.events.kinds import register
from regulars.record.events.log import Entry

IMPORT_DONE = register(
    "import.done", "A file was imported", "import", rows="data rows of the file", skipped="rows that were skipped"
)
IMPORT_UNDONE = register(
    "import.undone",
    "An import was taken back as a whole",
    "import",
    kept="orders that others changed since, and that stay",
)


def import_done(import_id: int, rows: int, skipped: int, occurred_at: datetime) -> Entry:
    return Entry(
        IMPORT_DONE, occurred_at, subject_id=import_id, data={"rows": rows, "skipped": skipped}, is_history=True
    )


def import_undone(import_id: int, kept: int, occurred_at: datetime) -> Entry:
    return Entry(IMPORT_UNDONE, occurred_at, subject_id=import_id, data={"kept": kept}, is_history=True)
