"""The options that several commands share, so that they read the same everywhere."""

from typing import Annotated

import typer

AccountOption = Annotated[
    str | None, typer.Option("--account", metavar="SLUG", help="Which account; the only one, where there is one.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
