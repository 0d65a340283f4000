"""The pause after an unexpected error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.jobs.backoff import CAP_SECONDS, backoff_seconds


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 2), (2, 4), (3, 8), (4, 16), (8, 256), (9, 512), (10, 900), (11, 900)]
)
def test_it_doubles_up_to_a_cap(failures: int, seconds: int) -> None:
    assert backoff_seconds(failures) == seconds


@given(st.integers(min_value=1))
def test_it_never_passes_the_cap_nor_shrinks(failures: int) -> None:
    assert backoff_seconds(failures) <= backoff_seconds(failures + 1) <= CAP_SECONDS


def test_it_refuses_to_wait_before_a_failure() -> None:
    with pytest.raises(ValueError, match="before the first failure"):
        backoff_seconds(0)
