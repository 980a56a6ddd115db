"""What ``regulars stats`` says of imports."""

import json
from collections import Counter

from regulars.connections.files.models import ImportState, RejectedRows
from regulars.foundation.sealing import Cell, unseal
from regulars.foundation.vault.keys import key_ring


def stats() -> dict[str, object]:
    """Rows that imports skipped, by reason; those of imports that were undone do not count."""
    skipped: Counter[str] = Counter()
    rows = RejectedRows.objects.exclude(source__state=ImportState.UNDONE).select_related("source").order_by("pk")
    for row in rows.iterator(chunk_size=200):
        source = row.source
        key = key_ring().unwrap(source.master_id, bytes(source.wrapped_key), source.pk)
        cell = Cell("files_rejectedrows", str(source.uid), row.first_unit)
        lines = json.loads(unseal(key, bytes(row.lines), cell))
        skipped.update(str(line[2]) for line in lines if line[1] == "skipped")
    return {"rows_skipped": dict(sorted(skipped.items()))}
