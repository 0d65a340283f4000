"""Exact money: whole cents, and the largest-remainder rule that keeps shares equal to their sum.

Not here: currencies and rates. The same rule in SQL stands in attribution/models/shares.sql; a test compares the two.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def to_cents(amount: Decimal) -> int:
    """Whole cents of an amount, half a cent rounded away from zero."""
    return int(amount.quantize(CENT, rounding=ROUND_HALF_UP) * 100)


def from_cents(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def split_cents(cents: int, weights: Sequence[int]) -> list[int]:
    """Split `cents` in proportion to whole-number `weights` so that the parts sum to `cents` exactly.

    Each part is rounded down (towards minus infinity); the cents left over go, one each, to the largest remainders,
    the earlier part first among equals. Raises ValueError when the weights sum to nothing.
    """
    total = sum(weights)
    if total <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("Weights must be zero or more, and at least one above zero.")
    parts = [cents * weight // total for weight in weights]
    remainders = [cents * weight % total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-remainders[place], place))
    for place in by_remainder[: cents - sum(parts)]:
        parts[place] += 1
    return parts
