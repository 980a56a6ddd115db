"""Addresses of workflows."""

from django.urls import path

from regulars.workflows import views

urlpatterns = [
    path("workflows", views.workflows, name="workflows"),
    path("workflows/install/<slug:key>", views.install, name="workflow-install"),
    path("workflows/<str:public_id>", views.one_workflow, name="workflow"),
    path("workflows/<str:public_id>/edit", views.edit, name="workflow-edit"),
    path("workflows/<str:public_id>/switch", views.switch, name="workflow-switch"),
    path("runs", views.runs, name="runs"),
    path("runs/<str:public_id>", views.one_run, name="run"),
]
