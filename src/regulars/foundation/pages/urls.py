"""Addresses of saved views."""

from django.urls import path

from regulars.foundation.pages import views

urlpatterns = [
    path("views", views.keep, name="view-keep"),
    path("views/<str:public_id>/<slug:action>", views.change, name="view-change"),
]
