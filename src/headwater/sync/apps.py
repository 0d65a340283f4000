from django.apps import AppConfig


class SyncConfig(AppConfig):
    name = "headwater.sync"
    label = "sync"
