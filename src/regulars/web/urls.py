"""Addresses of the screens that join domains."""

from django.urls import path

from regulars.web.views import account, home, search, work

urlpatterns = [
    path("", home.home, name="home"),
    path("sign-in", account.sign_in_page, name="sign-in"),
    path("sign-out", account.sign_out_now, name="sign-out"),
    path("theme", account.choose_theme, name="theme"),
    path("search", search.search, name="search"),
    path("search/hits", search.search_hits, name="search-hits"),
    path("work", work.work, name="work"),
    path("work/bell", work.bell, name="bell"),
    path("work/<uuid:uid>", work.one_task, name="one-task"),
]
