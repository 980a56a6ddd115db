"""What ``regulars stats`` says of imports."""

from collections import Counter

from regulars.connections.files.models import ImportState, RejectedRows
from regulars.connections.files.sealed import lines_of


def stats() -> dict[str, object]:
    """Rows that imports skipped, by reason; those of imports that were undone do not count."""
    skipped: Counter[str] = Counter()
    rows = RejectedRows.objects.exclude(source__state=ImportState.UNDONE).select_related("source").order_by("pk")
    for row in rows.iterator(chunk_size=200):
        skipped.update(str(line[2]) for line in lines_of(row) if line[1] == "skipped")
    return {"rows_skipped": dict(sorted(skipped.items()))}
