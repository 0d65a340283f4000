"""What is saved in one go: a single record, or up to 200 of a collection or an upload. Plain data."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Chunk:
    """`record_ids` are the records it has written so far."""

    record_ids: set[str] = field(default_factory=set)
