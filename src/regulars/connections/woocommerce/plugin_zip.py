"""The WordPress plugin as what a shop owner needs of it: a zip to upload, and one string to paste.

``python -m regulars.connections.woocommerce.plugin_zip <file>`` writes the zip.
"""

import base64
import io
import json
import sys
import zipfile
from functools import cache
from pathlib import Path

NAME = "regulars-for-woocommerce"
_FOLDER = Path(__file__).parent / "plugin"
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a zip can hold; fixed, so that equal files make equal zips


@cache
def plugin_zip() -> bytes:
    """The plugin, ready to upload in WordPress; the same bytes for the same files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(_FOLDER.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(f"{NAME}/{path.relative_to(_FOLDER).as_posix()}", _EARLIEST)
                entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
                archive.writestr(entry, path.read_bytes())
    return packed.getvalue()


def connection_code(address: str, browser_key: str, server_key: str) -> str:
    """What the plugin's settings page takes in one piece. It holds a secret: it is shown once, as the server key is."""
    said = {"address": address, "browser_key": browser_key, "server_key": server_key}
    packed = json.dumps(said, separators=(",", ":")).encode()
    return "regulars1." + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def main() -> None:
    """Writes the zip to the file named first on the command line."""
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(plugin_zip())


if __name__ == "__main__":
    main()
