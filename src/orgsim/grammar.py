"""Parsers made from grammar files when they are first needed: making one takes longer than starting the command."""

from functools import cache
from pathlib import Path

from lark import Lark


@cache
def parser_of(grammar: Path) -> Lark:
    return Lark(grammar.read_text(encoding="utf-8"), parser="lalr", lexer="contextual", maybe_placeholders=True)
