"""An object with one column of every type, and short ways to write it as Salesforce would."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from headwater.lake import CanonicalType, Column, Part, TableSchema, write_part_from_ndjson

OPPORTUNITY = TableSchema(
    "Opportunity",
    (
        Column("Id", CanonicalType.STRING),
        Column("Name", CanonicalType.STRING),
        Column("Amount", CanonicalType.DECIMAL),
        Column("Probability", CanonicalType.DOUBLE),
        Column("IsDeleted", CanonicalType.BOOLEAN),
        Column("CloseDate", CanonicalType.DATE),
        Column("SystemModstamp", CanonicalType.TIMESTAMP),
    ),
)

Record = Mapping[str, Any]
WritePart = Callable[[Sequence[Record], int], Part]


def opportunity(record_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "attributes": {"type": "Opportunity", "url": f"/services/data/v66.0/sobjects/Opportunity/{record_id}"},
        "Id": record_id,
        "Name": None,
        "Amount": None,
        "Probability": None,
        "IsDeleted": False,
        "CloseDate": None,
        "SystemModstamp": "2026-01-05T10:00:00.000+0000",
        **fields,
    }


def write_ndjson(path: Path, records: Sequence[Record]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.fixture
def write_part(tmp_path: Path) -> WritePart:
    def write(records: Sequence[Record], sequence: int) -> Part:
        source = write_ndjson(tmp_path / "records.ndjson", records)
        return write_part_from_ndjson(source, OPPORTUNITY, tmp_path / "lake", sequence)

    return write
