"""Names and texts made safe to stand inside SQL, where the statement allows no parameter (views, COPY)."""

from collections.abc import Iterable


def quote_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def quote_list(texts: Iterable[str]) -> str:
    return "[" + ", ".join(quote_text(text) for text in texts) + "]"
