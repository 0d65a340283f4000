"""How many API calls an org may make in 24 hours, by its edition and licences (facts B.1).

Not here: what has been used (store/usage.py), what happens when it is used up (rest/gate.py).
"""

from collections.abc import Mapping

DEVELOPER = "Developer Edition"
DEVELOPER_CALLS = 15_000
BASE_CALLS = 100_000
FULL_SANDBOX_CALLS = 5_000_000
_LARGE_EDITIONS = ("Unlimited Edition", "Performance Edition")
# For each licence: calls in 24 hours in most editions, and in the large ones.
CALLS_BY_LICENCE: dict[str, tuple[int, int]] = {
    "Salesforce": (1_000, 5_000),
    "Salesforce Platform": (1_000, 5_000),
    "Platform Plus": (1_000, 5_000),
    "Lightning Platform One App": (200, 200),
    "Platform Starter": (200, 200),
    "Customer Community": (0, 0),
    "Customer Community Login": (0, 0),
    "Customer Community Plus": (200, 200),
    "Customer Community Plus Login": (10, 10),
    "Partner Community": (200, 200),
    "Partner Community Login": (10, 10),
}


def check_licences(licences: object) -> None:
    """Raises ValueError for what is not a table of known licences and how many there are of each."""
    if not isinstance(licences, dict):
        raise ValueError('Licences are a table like {"Salesforce": 15}.')  # noqa: TRY004  every wrong value is one error
    for name, count in licences.items():
        if name not in CALLS_BY_LICENCE:
            raise ValueError(f"There is no licence {name!r}. Known: {', '.join(CALLS_BY_LICENCE)}.")
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise ValueError(f"There cannot be {count!r} licences of a kind.")


def allowed_calls(edition: str, licences: Mapping[str, int], *, is_sandbox: bool) -> int:
    """Salesforce's formula. A sandbox counts as a full one; what the others have is not published."""
    if is_sandbox:
        return FULL_SANDBOX_CALLS
    if edition == DEVELOPER:
        return DEVELOPER_CALLS
    column = 1 if edition in _LARGE_EDITIONS else 0
    return BASE_CALLS + sum(CALLS_BY_LICENCE[name][column] * count for name, count in licences.items())
