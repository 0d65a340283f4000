"""What the tortured jobs leave behind. No constraint forbids doubles here: they must show if they happen."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Attempt(models.Model):
    """A worker began to work on a job; written at once, whatever becomes of it."""

    job_id = models.BigIntegerField()
    fence = models.BigIntegerField()
    worker = models.CharField(max_length=100)

    objects: ClassVar[models.Manager[Attempt]] = models.Manager()


class Effect(models.Model):
    """The record of one step, written in the step's own transaction."""

    tenant = models.CharField(max_length=100)
    job_id = models.BigIntegerField()
    step = models.CharField(max_length=100)
    fence = models.BigIntegerField()
    running_of_tenant = models.IntegerField()

    objects: ClassVar[models.Manager[Effect]] = models.Manager()
