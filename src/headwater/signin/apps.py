from django.apps import AppConfig


class SignInConfig(AppConfig):
    name = "headwater.signin"
    label = "signin"

    def ready(self) -> None:
        from headwater.signin import factors, vouching  # noqa: F401, PLC0415 - they listen; need models
