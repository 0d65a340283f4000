from datetime import UTC, datetime, timedelta

import pytest

from headwater.common.clock import clock_running_ahead, clock_set_to, now_utc

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_set_clock_stands_still_and_goes_on_afterwards() -> None:
    with clock_set_to(NOON):
        assert now_utc() == NOON == now_utc()
    assert now_utc() != NOON


def test_a_clock_may_run_ahead() -> None:
    before = now_utc()
    with clock_running_ahead(timedelta(days=1)):
        assert now_utc() - before > timedelta(hours=23)


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="timezone-aware"), clock_set_to(datetime(2026, 3, 1)):  # noqa: DTZ001 - the point
        pass
