"""Every address of the house: the faces of each module, found by the name of its door ``urls.py``."""

from importlib import import_module
from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from regulars.config.api_v1 import api_urls
from regulars.config.modules import MODULES

handler500 = "regulars.foundation.health.views.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include(api_urls())),
    *[path("", include(import_module(f"{module}.urls"))) for module in MODULES if find_spec(f"{module}.urls")],
]
