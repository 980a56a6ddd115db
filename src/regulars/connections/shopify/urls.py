"""Addresses of the installation in the browser."""

from django.urls import URLPattern, path

from regulars.connections.shopify import views

urlpatterns: list[URLPattern] = [
    path("connect/shopify", views.install, name="shopify-install"),
    path("connect/shopify/<str:public_id>/pixel", views.pixel, name="shopify-pixel"),
    path("connect/shopify/return", views.come_back, name="shopify-return"),
]
