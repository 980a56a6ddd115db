"""What our plugin in a shop needs to know: where to send, and under which keys."""

from datetime import datetime

from django.conf import settings

from regulars.connections.base.models import Connection
from regulars.connections.base.writekeys import make_write_key
from regulars.connections.woocommerce.plugin_zip import connection_code
from regulars.foundation.access.viewer import Viewer


def make_code(row: Connection, by: Viewer, at: datetime) -> str:
    """One line to paste into the plugin's settings; keys are made for it, and revoked under Tracking. Raises NotAllowed. Audited."""
    name = f"{row.name[:100]}: plugin"
    browser, server = (make_write_key(name, kind, row.store_id, by, at) for kind in ("browser", "server"))
    return connection_code(settings.PUBLIC_URL, browser, server)
