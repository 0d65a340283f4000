"""Text of a formula to its syntax tree, by the grammar in grammar.lark."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from lark import Token, Transformer, Tree, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from orgsim.formula import tree
from orgsim.formula.errors import FormulaError
from orgsim.grammar import parser_of

MAX_CHARACTERS = 3900
MAX_DEPTH = 150  # levels of the syntax tree
_GRAMMAR = Path(__file__).with_name("grammar.lark")
_KEPT_ESCAPES = "nrtNRT'"  # stay as they are written; only \" and \\ stand for another text


@lru_cache(maxsize=1000)
def parse(formula: str) -> tree.Formula:
    """Raises FormulaError."""
    if len(formula) > MAX_CHARACTERS:
        raise FormulaError(
            f"Formula is too long ({len(formula):,} characters). Maximum length is {MAX_CHARACTERS:,} characters"
        )
    try:
        parsed = parser_of(_GRAMMAR).parse(formula)
    except UnexpectedInput as error:
        raise _syntax_error(error, formula) from error
    if _depth(parsed) > MAX_DEPTH:
        raise FormulaError(f"Formula is nested too deeply. Maximum is {MAX_DEPTH} levels")
    return _TreeBuilder().transform(parsed)  # type: ignore[no-any-return]  # `start` returns the formula


def _depth(parsed: Tree[Token]) -> int:
    level, depth = [parsed], 0
    while level:
        level = [each for node in level for each in node.children if isinstance(each, Tree)]
        depth += 1
    return depth


def _syntax_error(error: UnexpectedInput, formula: str) -> FormulaError:
    if isinstance(error, UnexpectedCharacters):
        return FormulaError(f"Syntax error. Found '{formula[error.pos_in_stream or 0]}'")
    if not isinstance(error, UnexpectedToken):
        return FormulaError("Syntax error")
    if error.token.type != "$END":
        extra = error.token.type == "RPAR" and "$END" in error.accepts
        return FormulaError(f"Syntax error. {'Extra' if extra else 'Found'} '{error.token}'")
    return FormulaError(
        "Syntax error. Missing ')'" if "RPAR" in error.accepts else "Syntax error. Found 'end of formula'"
    )


@v_args(inline=True)
class _TreeBuilder(Transformer[Token, Any]):
    def start(self, formula: tree.Formula) -> tree.Formula:
        return formula

    def operation(self, left: tree.Formula, sign: Token, right: tree.Formula) -> tree.Call:
        name = {"==": "=", "!=": "<>"}.get(str(sign), str(sign))
        return tree.Call(name, (left, right))

    def both(self, left: tree.Formula, right: tree.Formula) -> tree.Call:
        return tree.Call("AND", (left, right))

    def either(self, left: tree.Formula, right: tree.Formula) -> tree.Call:
        return tree.Call("OR", (left, right))

    def negation(self, operand: tree.Formula) -> tree.Call:
        return tree.Call("NOT", (operand,))

    def signed(self, sign: Token, operand: tree.Formula) -> tree.Call:
        return tree.Call(str(sign), (operand,))

    def number(self, token: Token) -> tree.Number:
        return tree.Number(str(token))

    def text(self, token: Token) -> tree.Text:
        return tree.Text(_unescaped(str(token)[1:-1]))

    def truth(self, token: Token) -> tree.Truth:
        return tree.Truth(token.lower() == "true")

    def null(self) -> tree.Null:
        return tree.Null()

    def reference(self, token: Token) -> tree.Reference:
        return tree.Reference(str(token))

    def call(self, name: Token, *arguments: tree.Formula | None) -> tree.Call:
        return tree.Call(str(name).upper(), tuple(each for each in arguments if each is not None))


def _unescaped(text: str) -> str:
    out: list[str] = []
    characters = iter(text)
    for each in characters:
        if each != "\\":
            out.append(each)
            continue
        escaped = next(characters)
        out.append(f"\\{escaped}" if escaped in _KEPT_ESCAPES else escaped)
    return "".join(out)
