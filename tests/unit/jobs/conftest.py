"""An empty registry of tasks for every test, and moments to set the clock to."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest

from headwater.common.clock import clock_set_to
from headwater.jobs import tasks

At = Callable[[float], AbstractContextManager[None]]


@pytest.fixture(autouse=True)
def empty_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_tasks", {})


@pytest.fixture
def at() -> At:
    """`with at(90):` sets the clock to 90 seconds after noon."""
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    return lambda seconds: clock_set_to(noon + timedelta(seconds=seconds))
