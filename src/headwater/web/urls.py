"""The addresses of the pages, by name: `web:<name>`.

`connections_callback` stands in every org's External Client App: its address must not change.
"""

from django.urls import path

from headwater.web.pages import (
    authentication,
    company,
    connections,
    credits,
    crm_general,
    jobs,
    notifications,
    opportunities,
    overview,
    revenue,
    settings,
    single_sign_on,
)

app_name = "web"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("account/<slug:slug>/choose/", overview.choose_account, name="choose_account"),
    path("revenue/", revenue.revenue, name="revenue"),
    path("opportunities/", opportunities.opportunity_list, name="opportunities"),
    path("opportunities/<slug:opportunity_id>/", opportunities.opportunity_detail, name="opportunities_detail"),
    path("credits/", credits.credits_today, name="credits"),
    path("jobs/", jobs.job_list, name="jobs"),
    path("jobs/start/<slug:work>/", jobs.start, name="jobs_start"),
    path("jobs/<int:job_id>/", jobs.job_detail, name="jobs_detail"),
    path("jobs/<int:job_id>/cancel/", jobs.cancel_job, name="jobs_cancel"),
    path("jobs/<int:job_id>/retry/", jobs.retry_job, name="jobs_retry"),
    path("notifications/", notifications.notification_list, name="notifications"),
    path("notifications/bell/", notifications.bell, name="notifications_bell"),
    path("notifications/panel/", notifications.panel, name="notifications_panel"),
    path("notifications/read/", notifications.read_all, name="notifications_read_all"),
    path("notifications/<int:notification_id>/", notifications.notification_detail, name="notifications_detail"),
    path("notifications/<int:notification_id>/close/", notifications.close, name="notifications_close"),
    path("settings/", settings.front_door, name="settings"),
    path("settings/connections/", connections.connections, name="connections"),
    path("settings/connections/connect/", connections.connect, name="connections_connect"),
    path("settings/connections/callback/", connections.callback, name="connections_callback"),
    path("settings/connections/confirm/", connections.confirm, name="connections_confirm"),
    path("settings/connections/decline/", connections.decline, name="connections_decline"),
    path("settings/connections/disconnect/", connections.disconnect, name="connections_disconnect"),
    path("settings/connections/delete/", connections.delete, name="connections_delete"),
    path("settings/connections/package/check/", connections.check_package, name="connections_package_check"),
    path("settings/connections/package/install/", connections.install_package, name="connections_package_install"),
    path("settings/crm/general/", crm_general.crm_general, name="crm_general"),
    path("settings/crm/general/daily-limit/", crm_general.save_daily_limit, name="crm_general_daily_limit"),
    path("settings/security/authentication/", authentication.authentication, name="authentication"),
    path("settings/security/authentication/second-factor/", authentication.second_factor, name="authentication_factor"),
    path("settings/security/authentication/oidc/", single_sign_on.keep_openid, name="authentication_oidc"),
    path("settings/security/authentication/saml/", single_sign_on.keep_saml_provider, name="authentication_saml"),
    path("settings/security/authentication/try/", single_sign_on.try_it, name="authentication_try"),
    path("settings/security/authentication/switch/", single_sign_on.switch_it, name="authentication_switch"),
    path("settings/security/authentication/remove/", single_sign_on.remove, name="authentication_remove"),
    path("settings/security/authentication/domain/", single_sign_on.domain, name="authentication_domain"),
    path("company/", company.company, name="company"),
    path("company/<slug:slug>/oidc/", company.openid_answer, name="company_oidc"),
    path("company/<slug:slug>/saml/", company.saml_answer, name="company_saml"),
    path("company/<slug:slug>/saml/finish/", company.saml_finish, name="company_saml_finish"),
    path("company/<slug:slug>/saml/metadata/", company.saml_metadata, name="company_saml_metadata"),
    path("second-factor/", authentication.factor_needed, name="factor_needed"),
    path("settings/account/", settings.account_configuration, name="account"),
]
