from django.apps import AppConfig


class NotifyConfig(AppConfig):
    name = "headwater.notify"
    label = "notify"
