from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "headwater.accounts"
    label = "accounts"

    def ready(self) -> None:
        from headwater.accounts import people  # noqa: F401, PLC0415 - hears when an address changes; needs the models
