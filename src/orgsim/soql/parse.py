"""Text of a SOQL query to its syntax tree, by the grammar in grammar.lark."""

from pathlib import Path as FilePath
from typing import Any

from lark import ParseTree, Token, Transformer, Tree, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken, VisitError

from orgsim.errors import ApiError
from orgsim.grammar import parser_of
from orgsim.soql import tree
from orgsim.soql.refuse import malformed, refuse

MAX_QUERY_CHARACTERS = 100_000
MAX_DEPTH = 100  # levels of the syntax tree; brackets around one thing are no level
_GRAMMAR = FilePath(__file__).with_name("grammar.lark")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_WORDS = {"true": tree.ValueKind.BOOLEAN, "false": tree.ValueKind.BOOLEAN, "null": tree.ValueKind.NULL}


def parse(query: str) -> tree.Select:
    """Raises ApiError MALFORMED_QUERY with row and column."""
    if len(query) > MAX_QUERY_CHARACTERS:
        raise malformed(f"SOQL statements cannot be longer than {MAX_QUERY_CHARACTERS} characters.")
    try:
        parsed = parser_of(_GRAMMAR).parse(query)
    except UnexpectedToken as error:
        raise _unexpected(error.token, query) from error
    except UnexpectedCharacters as error:
        raise _bad_character(query, error.pos_in_stream) from error
    except UnexpectedEOF as error:
        raise malformed("unexpected token: '<EOF>'") from error
    if _depth(parsed) > MAX_DEPTH:
        raise ApiError("QUERY_TOO_COMPLICATED", "Query is nested too deeply")
    try:
        return _TreeBuilder().transform(parsed)  # type: ignore[no-any-return]  # `start` returns the Select
    except VisitError as error:
        if isinstance(error.orig_exc, ApiError):
            raise error.orig_exc from error
        raise


def _depth(parsed: ParseTree) -> int:
    level, depth = [parsed], 0
    while level:
        level = [each for node in level for each in node.children if isinstance(each, Tree)]
        depth += 1
    return depth


def _unexpected(token: Token, query: str) -> ApiError:
    if token.type == "$END":
        return malformed("unexpected token: '<EOF>'")
    return refuse("MALFORMED_QUERY", f"unexpected token: '{token}'", query, token.start_pos or 0)


def _bad_character(query: str, at: int | None) -> ApiError:
    at = at or 0
    if query[at] == "'":
        return refuse("MALFORMED_QUERY", "mismatched character '<EOF>' expecting '''", query, at)
    return refuse("MALFORMED_QUERY", f"unexpected token: '{query[at]}'", query, at)


def unescape(literal: str) -> str:
    """The text a quoted literal stands for. `\\%` and `\\_` stay escaped: LIKE needs to know them (see compile)."""
    out: list[str] = []
    characters = iter(literal[1:-1])
    for each in characters:
        if each != "\\":
            out.append(each)
            continue
        escaped = next(characters)
        out.append(f"\\{escaped}" if escaped in "%_" else _ESCAPES.get(escaped.lower(), escaped))
    return "".join(out)


@v_args(inline=True)
class _TreeBuilder(Transformer[Token, Any]):
    def start(self, select: tree.Select) -> tree.Select:
        return select

    def path(self, *names: Token) -> tree.Path:
        return tree.Path(tuple(map(str, names)), names[0].start_pos or 0)

    def call(self, name: Token, *arguments: tree.Expression | None) -> tree.Call:
        given = tuple(each for each in arguments if each is not None)
        return tree.Call(str(name).upper(), given, name.start_pos or 0)

    def item(self, expression: tree.Expression, alias: Token | None) -> tree.Item:
        return tree.Item(expression, str(alias) if alias else None)

    def subquery(self, select: tree.Select) -> tree.Subquery:
        return tree.Subquery(select)

    def typeof(self, relationship: tree.Path, *rest: "tree.When | tuple[tree.Path, ...] | None") -> tree.Typeof:
        whens = tuple(each for each in rest if isinstance(each, tree.When))
        otherwise = rest[-1] if isinstance(rest[-1], tuple) else ()
        return tree.Typeof(relationship, whens, otherwise)

    def when(self, source: tree.Path, *fields: tree.Path) -> tree.When:
        return tree.When(source, fields)

    def otherwise(self, *fields: tree.Path) -> tuple[tree.Path, ...]:
        return fields

    def object_name(self, path: tree.Path, alias: Token | None) -> tuple[tree.Path, str | None]:
        return path, str(alias) if alias else None

    def parents(self, *named: tuple[tree.Path, str | None]) -> tuple[tuple[tree.Path, str | None], ...]:
        return named

    def parent(self, path: tree.Path, alias: Token | None) -> tuple[tree.Path, str | None]:
        return path, str(alias) if alias else None

    # clauses that change nothing in a simulated org

    def using(self, scope: tree.Path) -> tree.Path:
        return scope

    def with_clause(self, *_: Token) -> None:
        return None

    def for_view(self, *_: Token) -> None:
        return None

    def all_rows(self, *_: Token) -> None:
        """Apex only; over the API queryAll does this."""
        raise malformed("ALL ROWS not allowed in this context")

    # conditions

    def where(self, condition: tree.Condition) -> tree.Condition:
        return condition

    def having(self, condition: tree.Condition) -> tree.Condition:
        return condition

    def disjunction(self, *conditions: tree.Condition) -> tree.Both:
        return tree.Both(conditions, either=True)

    def conjunction(self, *conditions: tree.Condition) -> tree.Both:
        return tree.Both(conditions, either=False)

    def not_(self, condition: tree.Condition) -> tree.Not:
        return tree.Not(condition)

    def compare(self, left: tree.Expression, operator: Token, value: tree.Value) -> tree.Comparison:
        return tree.Comparison(left, str(operator).replace("<>", "!="), (value,))

    def like(self, left: tree.Expression, value: tree.Value) -> tree.Comparison:
        return tree.Comparison(left, "like", (value,))

    def in_(self, left: tree.Expression, values: "tuple[tree.Value, ...] | tree.Select") -> tree.Comparison:
        return _membership(left, "in", values)

    def not_in(self, left: tree.Expression, values: "tuple[tree.Value, ...] | tree.Select") -> tree.Comparison:
        return _membership(left, "not in", values)

    def includes(self, left: tree.Expression, values: tuple[tree.Value, ...]) -> tree.Comparison:
        return tree.Comparison(left, "includes", values)

    def excludes(self, left: tree.Expression, values: tuple[tree.Value, ...]) -> tree.Comparison:
        return tree.Comparison(left, "excludes", values)

    def semi_join(self, select: tree.Select) -> tree.Select:
        return select

    def value_list(self, *values: tree.Value) -> tuple[tree.Value, ...]:
        return values

    # values

    def string(self, token: Token) -> tree.Value:
        return _value(tree.ValueKind.STRING, token, unescape(token))

    def number(self, token: Token) -> tree.Value:
        return _value(tree.ValueKind.NUMBER, token)

    def money(self, token: Token) -> tree.Value:
        return _value(tree.ValueKind.MONEY, token)

    def date(self, token: Token) -> tree.Value:
        return _value(tree.ValueKind.DATE, token)

    def datetime(self, token: Token) -> tree.Value:
        return _value(tree.ValueKind.DATETIME, token)

    def date_literal(self, token: Token) -> tree.Value:
        return _value(tree.ValueKind.DATE_LITERAL, token, token.upper())

    def word(self, token: Token) -> tree.Value:
        lowered = token.lower()
        kind = _WORDS.get(lowered, tree.ValueKind.DATE_LITERAL)
        return _value(kind, token, lowered if lowered in _WORDS else token.upper())

    # the end of the query

    def group(self, *expressions: tree.Expression) -> tuple[tree.Expression, ...]:
        return expressions

    def order(self, *items: tree.OrderItem) -> tuple[tree.OrderItem, ...]:
        return items

    def order_item(self, expression: tree.Expression, direction: Token | None, nulls: bool | None) -> tree.OrderItem:
        return tree.OrderItem(expression, str(direction or "").lower() == "desc", nulls)

    def nulls(self, place: Token) -> bool:
        return place.lower() == "last"

    def limit(self, count: Token) -> int:
        return int(count)

    def offset(self, count: Token) -> int:
        return int(count)

    def select(self, *parts: Any) -> tree.Select:
        items, clauses = parts[:-_CLAUSES], parts[-_CLAUSES:]
        (source, alias), parents, using, where, _with, group, having, order, limit, offset, _for_view, _all_rows = (
            clauses
        )
        return tree.Select(
            items=items,
            source=source,
            source_alias=alias,
            where=where,
            group=group or (),
            having=having,
            order=order or (),
            limit=limit,
            offset=offset,
            at=source.at,
            using=using,
            parents=parents,
        )


def _membership(left: tree.Expression, operator: str, values: tuple[tree.Value, ...] | tree.Select) -> tree.Comparison:
    if isinstance(values, tree.Select):
        return tree.Comparison(left, operator, (), values)
    return tree.Comparison(left, operator, values)


def _value(kind: tree.ValueKind, token: Token, text: str | None = None) -> tree.Value:
    return tree.Value(kind, str(token) if text is None else text, token.start_pos or 0)


_CLAUSES = 12  # what follows the select list in the grammar, from object_name to all_rows
