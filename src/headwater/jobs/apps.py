"""Tells Django about this room."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "headwater.jobs"
    label = "jobs"
