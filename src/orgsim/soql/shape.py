"""Result rows as text, made by SQLite itself: JSON records for REST, quoted lines for Bulk CSV."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from orgsim.errors import ApiError
from orgsim.schema.model import NUMBER_TYPES, Field
from orgsim.soql.scope import Column, Place, balanced

_CELLS_PER_CALL = 40  # SQLite takes up to 127 arguments; a moment is two of them


def json_value(column: Column, *, milliseconds: bool = False) -> str:
    """An SQL expression whose value is JSON text; never NULL. `milliseconds`: moments as Bulk API 1 writes them."""
    kind, sql = column.field.type, column.sql
    if milliseconds and kind in ("date", "datetime"):
        return f"coalesce(CAST(strftime('%s', substr({sql}, 1, 19)) * 1000 AS TEXT), 'null')"
    if kind == "boolean":
        return f"CASE WHEN {sql} IS NULL THEN 'null' WHEN {sql} THEN 'true' ELSE 'false' END"
    if kind == "anyType":
        return f"coalesce({sql}, 'null')"
    if kind in NUMBER_TYPES:
        return f"json_quote({_number_sql(column)})"
    return f"json_quote({sql})"


def csv_line(columns: Sequence[Column], delimiter: str) -> str:
    """An SQL expression whose value is a line of quoted CSV cells; null is an empty cell (facts C.4).

    One call of printf() for many cells: three times as fast as joining their texts.
    """
    runs = [columns[at : at + _CELLS_PER_CALL] for at in range(0, len(columns), _CELLS_PER_CALL)]
    return f" || '{delimiter}' || ".join(_csv_cells(run, delimiter) for run in runs)


def _csv_cells(columns: Sequence[Column], delimiter: str) -> str:
    cells = [_csv_cell(column) for column in columns]
    layout = delimiter.join(f'"{directive}"' for directive, _ in cells)
    return f"printf('{layout}', {', '.join(sql for _, sql in cells)})"


def _csv_cell(column: Column) -> tuple[str, str]:
    """(printf directive, SQL). %s makes nothing of null, %w doubles the quotes inside a text."""
    kind, sql = column.field.type, column.sql
    if kind == "boolean":
        return "%s", f"CASE WHEN {sql} IS NULL THEN '' WHEN {sql} THEN 'true' ELSE 'false' END"
    if kind in NUMBER_TYPES:
        return "%s", f"CAST({_number_sql(column)} AS TEXT)"
    if kind == "datetime":
        return "%.23s%s", f"{sql}, CASE WHEN {sql} IS NULL THEN '' ELSE 'Z' END"
    text = any_text(sql) if kind == "anyType" else sql
    return "%w", f"coalesce({text}, '')"


def any_text(sql: str) -> str:
    """What is kept as JSON (`"Hot"`, `12.5`, `true`) as text without quotes."""
    return f"CASE json_type({sql}) WHEN 'text' THEN json_extract({sql}, '$') ELSE {sql} END"


def address_value(place: Place, compound: Field) -> str:
    """A compound address as REST shows it: an object, or null when every part is empty (facts C.7)."""
    alias, sobject = place.targets[0]
    parts = [part for name in compound.compound_parts if (part := sobject.find(name))]
    prefix = compound.name.removesuffix("Address")
    pairs = [
        f"'\"{_lower_first(part.name.removeprefix(prefix))}\":' || "
        + json_value(Column(f'{alias}."{part.name}"', part, sobject.name))
        for part in sorted(parts, key=lambda part: part.name)
    ]
    empty = " AND ".join(f'{alias}."{part.name}" IS NULL' for part in parts)
    return f"CASE WHEN {empty} THEN 'null' ELSE '{{' || {_joined(pairs)} || '}}' END"


@dataclass(slots=True)
class RecordShape:
    """A record as a JSON object: its own values and, nested, its parents, in the order they were asked for."""

    place: Place
    api_version: str
    values: dict[str, str] = field(default_factory=dict)
    parents: dict[str, "RecordShape"] = field(default_factory=dict)

    def add(self, name: str, sql: str) -> None:
        if name in self.values:
            raise ApiError("INVALID_FIELD", f"duplicate field selected: {name}")
        self.values[name] = sql

    def parent(self, relationship: str, place: Place) -> "RecordShape":
        if relationship not in self.parents:
            self.parents[relationship] = RecordShape(place, self.api_version)
            self.values[relationship] = ""
        return self.parents[relationship]

    def sql(self) -> str:
        """An SQL expression whose value is the record's JSON text."""
        pairs = [f"'\"{name}\":' || {self._value(name)}" for name in self.values]
        return _joined([f"'{{\"attributes\":' || {self._attributes()}", *pairs]) + " || '}'"

    def _value(self, name: str) -> str:
        parent = self.parents.get(name)
        if parent is None:
            return self.values[name]
        return f"CASE WHEN {parent.place.id_sql} IS NULL THEN 'null' ELSE {parent.sql()} END"

    def _attributes(self) -> str:
        kind = self.place.type_sql
        base = f"/services/data/v{self.api_version}/sobjects/"
        return f"'{{\"type\":\"' || {kind} || '\",\"url\":\"{base}' || {kind} || '/' || {self.place.id_sql} || '\"}}'"


def aggregate_sql(values: dict[str, str]) -> str:
    pairs = [f"'\"{name}\":' || {sql}" for name, sql in values.items()]
    return _joined(['\'{"attributes":{"type":"AggregateResult"}\'', *pairs]) + " || '}'"


def _joined(pairs: list[str]) -> str:
    return balanced(pairs, " || ',' || ")


def _number_sql(column: Column) -> str:
    if column.field.type == "int":
        return column.sql
    return f"{column.sql} / {10**column.field.scale}.0"


def _lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]
