"""Addresses of imports, and of uploads of lists."""

from django.urls import path

from regulars.connections.files import list_views, views

urlpatterns = [
    path("imports", views.imports, name="imports"),
    path("imports/new", views.new_import, name="import-new"),
    path("imports/<str:public_id>", views.one_import, name="import"),
    path("imports/<str:public_id>/rejects.csv", views.rejects, name="import-rejects"),
    path("imports/<str:public_id>/<slug:action>", views.act, name="import-act"),
    path("list-uploads/new", list_views.new_upload, name="list-upload-new"),
    path("list-uploads/<str:public_id>", list_views.one_upload, name="list-upload"),
    path("list-uploads/<str:public_id>/lines.csv", list_views.rejects, name="list-upload-rejects"),
    path("list-uploads/<str:public_id>/<slug:action>", list_views.act, name="list-upload-act"),
]
