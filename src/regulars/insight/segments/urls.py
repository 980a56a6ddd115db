"""Addresses of segments."""

from django.urls import path

from regulars.insight.segments.views import one, overview, thresholds

urlpatterns = [
    path("segments", overview.segments, name="segments"),
    path("segments/movement", overview.movement, name="segments-movement"),
    path("segments/thresholds", thresholds.thresholds, name="segments-thresholds"),
    path("segments/<str:name>", one.one_segment, name="segment"),
    path("segments/<str:name>/members", one.members, name="segment-members"),
]
