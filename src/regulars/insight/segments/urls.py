"""Addresses of segments."""

from django.urls import path

from regulars.insight.segments.views import builder, one, overview, own, thresholds, why

urlpatterns = [
    path("segments", overview.segments, name="segments"),
    path("segments/movement", overview.movement, name="segments-movement"),
    path("segments/thresholds", thresholds.thresholds, name="segments-thresholds"),
    path("segment-drafts/new", builder.choose, name="segment-new"),
    path("segment-drafts/begin", builder.begin, name="segment-begin"),
    path("segment-drafts/values", builder.suggest, name="segment-values"),
    path("segment-drafts/<str:public_id>", builder.build, name="segment-draft"),
    path("segment-drafts/<str:public_id>/count", builder.count, name="segment-draft-count"),
    path("segments/<str:name>", one.one_segment, name="segment"),
    path("segments/<str:name>/why/<str:customer_id>", why.explain, name="segment-why"),
    path("segments/<str:name>/archive", own.archive, name="segment-archive"),
    path("segments/<str:name>/members", one.members, name="segment-members"),
]
