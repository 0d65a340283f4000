from django.apps import AppConfig


class ResultsConfig(AppConfig):
    name = "headwater.results"
    label = "results"
