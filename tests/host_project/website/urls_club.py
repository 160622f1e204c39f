"""Guestlist under /people/."""

from club.invoices import approve
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.generic import TemplateView

from guestlist.api.app import api

urlpatterns = [
    path("", TemplateView.as_view(template_name="club/home.html"), name="home"),
    path("sign-in/", LoginView.as_view(), name="login"),
    path("sign-out/", LogoutView.as_view(), name="logout"),
    path("invoices/<slug:slug>/approve", approve),
    path("people/api/v1/", api.urls),
    path("people/", include("guestlist.web.urls")),
]
