"""Addresses of the tracking protocol, as its clients know them, and of the pages for its keys."""

from django.urls import URLPattern, path, re_path

from regulars.connections.tracking import views, visitors
from regulars.connections.tracking.protocol import PATHS

_WORDS = "|".join(sorted(PATHS, key=len, reverse=True))

urlpatterns: list[URLPattern] = [
    re_path(rf"^v1/(?P<path>{_WORDS})$", views.collect, name="track"),
    path("v1/id", visitors.visitor_id, name="track-id"),
    path("regulars.js", visitors.script, name="tracker"),
    path("v1/projects/<str:key>/settings", views.project_settings, name="track-settings"),
    path("settings/tracking", views.tracking, name="tracking"),
    path("settings/tracking/live", views.live, name="tracking-live"),
    path("settings/tracking/properties", views.event_properties, name="tracking-properties"),
    path(
        "settings/tracking/properties/<int:declared_id>/withdraw",
        views.withdraw_property,
        name="tracking-property-withdraw",
    ),
    path("settings/tracking/<int:key_id>", views.one_key, name="tracking-key"),
    path("settings/tracking/<int:key_id>/revoke", views.revoke, name="tracking-key-revoke"),
]
