"""Addresses of messages, and of the pages for their recipients."""

from django.urls import path

from regulars.messages import public_views, views

urlpatterns = [
    path("messages", views.messages, name="messages"),
    path("messages/templates", views.templates, name="templates"),
    path("messages/templates/<slug:key>", views.one_template, name="template"),
    path("messages/templates/<slug:key>/test", views.send_test, name="template-test"),
    path("messages/templates/<slug:key>/preview", views.preview, name="template-preview"),
    path("messages/sending", views.sending, name="sending"),
    path("messages/<str:public_id>", views.one_message, name="message"),
    path("unsubscribe/<str:token>", public_views.unsubscribe, name="unsubscribe"),
    path("preferences/<str:token>", public_views.preferences, name="preferences"),
]
