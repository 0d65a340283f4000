"""The addresses of the pages, by name: `web:<name>`."""

from django.urls import path

from headwater.web.pages import overview, settings

app_name = "web"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("account/<slug:slug>/choose/", overview.choose_account, name="choose_account"),
    path("settings/", settings.front_door, name="settings"),
    path("settings/connections/", settings.connections, name="connections"),
    path("settings/crm/general/", settings.crm_general, name="crm_general"),
    path("settings/account/", settings.account_configuration, name="account"),
]
