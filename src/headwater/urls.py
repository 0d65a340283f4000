"""The addresses of the web product: the web room's pages, django-allauth's log-in, the REST API, the metrics."""

from django.urls import include, path

from headwater.api.app import api
from headwater.web.pages.metrics import metrics

urlpatterns = [
    path("", include("headwater.web.urls")),
    path("accounts/", include("allauth.urls")),
    path("api/v1/", api.urls),
    path("metrics", metrics, name="metrics"),
]
