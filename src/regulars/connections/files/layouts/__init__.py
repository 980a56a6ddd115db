"""The known layouts, one file each; to add one, copy the nearest and list its module here."""

from regulars.connections.files.layouts import uci
from regulars.connections.files.layouts.base import LAYOUTS, Built, Columns, Kind, Layout, Note

__all__ = ["LAYOUTS", "Built", "Columns", "Kind", "Layout", "Note", "uci"]
