"""Addresses of lists. Those of uploads stand in ``connections.files.urls``."""

from django.urls import path

from regulars.record.lists import views

urlpatterns = [
    path("lists", views.lists, name="lists"),
    path("lists/put", views.put, name="list-put"),
    path("lists/take", views.take, name="list-take"),
    path("lists/<str:public_id>", views.one_list, name="list"),
    path("lists/<str:public_id>/members", views.members, name="list-members"),
    path("lists/<str:public_id>/rename", views.rename, name="list-rename"),
    path("lists/<str:public_id>/archive", views.archive, name="list-archive"),
]
