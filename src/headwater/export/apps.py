from django.apps import AppConfig


class ExportConfig(AppConfig):
    name = "headwater.export"
    label = "export"
