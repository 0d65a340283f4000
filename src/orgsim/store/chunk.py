"""What is saved in one go: a single record, or up to 200 of a collection or an upload. Plain data."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Chunk:
    """`record_ids` are the records it has created or changed so far, `saves` counts by (object, trigger event)."""

    record_ids: set[str] = field(default_factory=set)
    saves: Counter[tuple[str, str]] = field(default_factory=Counter)
