"""`headwater fields`: which objects and fields are read and why; name one more, or take it back."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from headwater.cli.actor import actor_here
from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import out, print_json, print_table, the_account, utc
from headwater.sync.extras import BY_HAND, STATES_IN_WORDS, ObjectRead, name_field, objects_read, take_back
from headwater.sync.notices import notices_of

app = typer.Typer(help="Which objects and fields are read; name one more, take it back.", no_args_is_help=True)
SObject = Annotated[str, typer.Argument(metavar="OBJECT", help="Its API name, such as Contact.")]
FieldName = Annotated[str, typer.Argument(metavar="FIELD", help="Its API name, such as Region__c.")]


@app.command("list")
def list_fields(
    sobject: Annotated[str, typer.Option("--object", metavar="OBJECT", help="The fields of one object.")] = "",
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the objects that are read, or the fields of one of them. Costs no credit."""
    tenant = the_account(account)
    found = [each for each in objects_read(tenant) if sobject.lower() in ("", each.sobject.lower())]
    notices = notices_of(tenant)
    if as_json:
        print_json({"objects": [as_object(each) for each in found], "notices": [asdict(each) for each in notices]})
        return
    if sobject:
        for each in found:
            _print_fields(each)
    else:
        rows = [
            (each.sobject, "once a day" if each.is_daily else "every sync", _state(each), f"{len(each.fields)}",
             ", ".join(each.named), utc(each.described_utc))
            for each in found
        ]  # fmt: skip
        headings = ("Object", "Read", "State", "Fields", "Named besides", "Described")
        print_table("Objects", headings, rows, numbers=(3,))
    for notice in notices:
        out.print(f"Note: {notice.sentence} {notice.facts.you_can[:1].upper()}{notice.facts.you_can[1:]}.")


@app.command("add")
def add(sobject: SObject, field: FieldName, account: AccountOption = None, as_json: JsonOption = False) -> None:
    """Have a field read from the next sync on. One credit where the org was not described since it has the field."""
    extra = name_field(the_account(account), sobject, field, actor=actor_here())
    _done(extra.sobject, extra.field, "is read from the next sync on", as_json=as_json)


@app.command("remove")
def remove(sobject: SObject, field: FieldName, account: AccountOption = None, as_json: JsonOption = False) -> None:
    """Take back a field that was added by hand. What a setting or a rule names is read on."""
    take_back(the_account(account), sobject, field, actor=actor_here())
    _done(sobject, field, f"is no longer read {BY_HAND}", as_json=as_json)


def as_object(found: ObjectRead) -> dict[str, Any]:
    """Without the names of all that could be read besides."""
    return {key: value for key, value in asdict(found).items() if key != "others"}


def _print_fields(found: ObjectRead) -> None:
    rows = [
        (field.name, field.label, f"{field.type}{', formula' if field.is_formula else ''}", field.why,
         STATES_IN_WORDS[field.state])
        for field in found.fields
    ]  # fmt: skip
    print_table(f"{found.sobject}: {_state(found)}", ("Field", "Label", "Type", "Why", "State"), rows, numbers=())


def _state(found: ObjectRead) -> str:
    return STATES_IN_WORDS[found.state] + (", being read anew" if found.is_reload_due else "")


def _done(sobject: str, field: str, said: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"sobject": sobject, "field": field})
    else:
        out.print(f"{sobject}.{field} {said}.", highlight=False)
