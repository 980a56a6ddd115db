"""Addresses of imports."""

from django.urls import path

from regulars.connections.files import views

urlpatterns = [
    path("imports", views.imports, name="imports"),
    path("imports/new", views.new_import, name="import-new"),
    path("imports/<str:public_id>", views.one_import, name="import"),
    path("imports/<str:public_id>/rejects.csv", views.rejects, name="import-rejects"),
    path("imports/<str:public_id>/<slug:action>", views.act, name="import-act"),
]
