"""Addresses of the screens that join domains."""

from django.urls import path

from regulars.web.views import account, customer, customers, home, orders, products, search, work

urlpatterns = [
    path("", home.home, name="home"),
    path("sign-in", account.sign_in_page, name="sign-in"),
    path("sign-out", account.sign_out_now, name="sign-out"),
    path("theme", account.choose_theme, name="theme"),
    path("search", search.search, name="search"),
    path("search/hits", search.search_hits, name="search-hits"),
    path("customers", customers.customers, name="customers"),
    path("customers/<str:public_id>", customer.customer, name="customer"),
    path("customers/<str:public_id>/timeline", customer.timeline, name="customer-timeline"),
    path("customers/<str:public_id>/edit", customer.edit, name="customer-edit"),
    path("customers/<str:public_id>/<slug:action>", customer.act, name="customer-act"),
    path("orders", orders.orders, name="orders"),
    path("orders/<str:public_id>", orders.one_order, name="order"),
    path("products", products.products, name="products"),
    path("products/<str:public_id>", products.one_product, name="product"),
    path("work", work.work, name="work"),
    path("work/bell", work.bell, name="bell"),
    path("work/<uuid:uid>", work.one_task, name="one-task"),
]
