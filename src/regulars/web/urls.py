"""Addresses of the screens that join domains."""

from django.urls import path

from regulars.web.views import account, customer, customers, home, orders, privacy, products, search, settings, team, work

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
    path("customers/<str:public_id>/privacy", privacy.privacy, name="customer-privacy"),
    path("customers/<str:public_id>/privacy/export", privacy.export, name="customer-export"),
    path("customers/<str:public_id>/<slug:action>", customer.act, name="customer-act"),
    path("orders", orders.orders, name="orders"),
    path("orders/<str:public_id>", orders.one_order, name="order"),
    path("products", products.products, name="products"),
    path("products/<str:public_id>", products.one_product, name="product"),
    path("team", team.team, name="team"),
    path("team/invite", team.invite, name="team-invite"),
    path("team/<str:public_id>", team.one_member, name="team-member"),
    path("team/<str:public_id>/<slug:action>", team.act, name="team-act"),
    path("settings", settings.settings, name="settings"),
    path("settings/tokens", settings.tokens, name="tokens"),
    path("settings/tokens/<int:token_id>/revoke", settings.revoke, name="token-revoke"),
    path("settings/audit", settings.audit, name="audit"),
    path("me", settings.oneself, name="me"),
    path("help/words", settings.words, name="words"),
    path("work", work.work, name="work"),
    path("work/bell", work.bell, name="bell"),
    path("work/<uuid:uid>", work.one_task, name="one-task"),
]
