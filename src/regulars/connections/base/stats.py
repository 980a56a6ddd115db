"""What ``regulars stats`` says of connections."""

from regulars.connections.base.models import Connection, ConnectionState


def stats() -> dict[str, object]:
    """How many shops are connected, and how many of them do not answer."""
    rows = Connection.objects.exclude(state__in=(ConnectionState.OVER, ConnectionState.NEW))
    return {"connections": rows.count(), "connections_failing": rows.filter(state=ConnectionState.FAILING).count()}
