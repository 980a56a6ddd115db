"""Addresses of the inbox."""

from django.urls import path

from regulars.foundation.inbox import views

urlpatterns = [
    path("settings/inbox", views.inbox, name="inbox"),
    path("settings/inbox/<int:number>", views.one_input, name="input"),
    path("settings/inbox/<int:number>/replay", views.replay_one, name="input-replay"),
]
