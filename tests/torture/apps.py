"""Registers the tortured tasks in every process that loads the app."""

from importlib import import_module

from django.apps import AppConfig


class TortureConfig(AppConfig):
    name = "torture"

    def ready(self) -> None:
        import_module("torture.work")
