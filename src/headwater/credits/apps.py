from django.apps import AppConfig


class CreditsConfig(AppConfig):
    name = "headwater.credits"
    label = "credits"
