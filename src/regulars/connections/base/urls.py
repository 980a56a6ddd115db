"""Addresses of connections: where shops send to, and the pages."""

from django.urls import URLPattern, path

from regulars.connections.base import hooks, views

urlpatterns: list[URLPattern] = [
    path("hooks/<slug:platform>/<str:public_id>", hooks.take, name="hook"),
    path("settings/connections", views.connections, name="connections"),
    path("settings/connections/new/<slug:platform>", views.connect, name="connect"),
    path("settings/connections/<str:public_id>", views.one_connection, name="connection"),
    path("settings/connections/<str:public_id>/<slug:action>", views.act, name="connection-act"),
    path(
        "settings/connections/<str:public_id>/requests/<int:number>", views.request_done, name="platform-request-done"
    ),
    path(
        "settings/connections/<str:public_id>/requests/<int:number>/erase",
        views.request_erase,
        name="platform-request-erase",
    ),
]
