"""Segments by API."""

from regulars.insight.segments.api import reading, writing

__all__ = ["ROUTERS", "writing"]
ROUTERS = {"/segments": reading.router}
