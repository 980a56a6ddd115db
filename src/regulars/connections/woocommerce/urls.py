"""Addresses of the way by which a shop hands out its key."""

from django.urls import URLPattern, path

from regulars.connections.woocommerce import views

urlpatterns: list[URLPattern] = [
    path("connect/woocommerce/begin", views.begin, name="woocommerce-begin"),
    path("connect/woocommerce/<str:public_id>/key", views.key, name="woocommerce-key"),
    path("connect/woocommerce/<str:public_id>/back", views.back, name="woocommerce-return"),
    path("connect/woocommerce/plugin", views.plugin, name="woocommerce-plugin"),
    path("connect/woocommerce/<str:public_id>/code", views.plugin_code, name="woocommerce-code"),
]
