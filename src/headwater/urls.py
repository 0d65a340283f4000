"""The addresses of the web product: the web room's pages and django-allauth's log-in."""

from django.urls import include, path

urlpatterns = [
    path("", include("headwater.web.urls")),
    path("accounts/", include("allauth.urls")),
]
