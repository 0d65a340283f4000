from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    name = "headwater.connections"
    label = "connections"
