"""Addresses of carts."""

from django.urls import path

from regulars.record.carts import views

urlpatterns = [
    path("carts", views.carts, name="carts"),
    path("carts/<str:public_id>", views.one_cart, name="cart"),
]
