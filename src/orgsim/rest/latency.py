"""How long calls of each kind take, as the org's owner wishes: a fixed time and a random one on top, repeatable."""

import random
from dataclasses import asdict, dataclass

from orgsim.rest.faults import LOGIN_KIND
from orgsim.store.usage import Usage

EVERY_KIND = ""


@dataclass(frozen=True, slots=True)
class Latency:
    """Each call of `kind` takes `seconds` and up to `spread_seconds` more.

    The empty kind stands for all that have none of their own, except logins.
    """

    kind: str = EVERY_KIND
    seconds: float = 0.0
    spread_seconds: float = 0.0
    seed: int = 0


def set_latency(usage: Usage, latency: Latency) -> None:
    """In place of what the kind had. Its calls are counted from 1 again, so the same times come again."""
    if latency.seconds < 0 or latency.spread_seconds < 0:
        raise ValueError("No call takes less than 0 seconds.")
    with usage.database.write() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO latency (kind, seconds, spread_seconds, seed) "
            "VALUES (:kind, :seconds, :spread_seconds, :seed)",
            asdict(latency),
        )


def clear_latencies(usage: Usage) -> None:
    with usage.database.write() as connection:
        connection.execute("DELETE FROM latency")


def list_latencies(usage: Usage) -> list[dict[str, object]]:
    return usage.database.named_rows("SELECT * FROM latency ORDER BY kind")


def draw_latency(usage: Usage, kind: str) -> float:
    """Seconds that the next call of this kind takes."""
    if usage.database.connect().execute("SELECT 1 FROM latency LIMIT 1").fetchone() is None:
        return 0.0
    with usage.database.write() as connection:
        row = connection.execute(
            "UPDATE latency SET seen = seen + 1 WHERE kind = "
            "(SELECT max(kind) FROM latency WHERE kind = :kind OR (kind = '' AND :kind <> :login)) "
            "RETURNING seconds, spread_seconds, seed, seen",
            {"kind": kind, "login": LOGIN_KIND},
        ).fetchone()
    if row is None:
        return 0.0
    seconds, spread_seconds, seed, seen = row
    dice = random.Random(f"{seed}:{kind}:{seen}")  # noqa: S311  repeatable on purpose
    return float(seconds + spread_seconds * dice.random())
