"""What ``regulars stats`` says of the log."""

from django.db import connection

from regulars.record.events.models import ParkedEvent


def stats() -> dict[str, object]:
    """Events recorded, and events that a reader put aside until somebody looks at them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM events_event")
        events = int(cursor.fetchone()[0])
    return {"events": events, "parked_events": ParkedEvent.objects.filter(replayed_at__isnull=True).count()}
