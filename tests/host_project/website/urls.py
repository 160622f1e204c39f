"""Addresses of the project; Guestlist's are at the end."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from django.views.generic import TemplateView

urlpatterns = [
    path("", TemplateView.as_view(template_name="people/home.html"), name="home"),
    path("admin/", admin.site.urls),
    path("sign-in/", LoginView.as_view(), name="login"),
    path("sign-out/", LogoutView.as_view(), name="logout"),
]

# Guestlist
from django.urls import include  # noqa: E402

from guestlist.api.app import api  # noqa: E402

urlpatterns += [path("api/v1/", api.urls), path("", include("guestlist.web.urls"))]
