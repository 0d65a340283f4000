"""How long to wait after an unexpected error. A pure function: it neither sleeps nor reads the clock."""

FIRST_SECONDS = 2
CAP_SECONDS = 15 * 60


def backoff_seconds(failures: int) -> int:
    """Seconds until the next try after `failures` (1 or more) in a row: doubling from 2, at most 15 minutes."""
    if failures < 1:
        raise ValueError("There is nothing to wait for before the first failure.")
    doublings = min(failures - 1, CAP_SECONDS.bit_length())
    return min(FIRST_SECONDS << doublings, CAP_SECONDS)
