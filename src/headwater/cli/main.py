"""The `headwater` command: the same deeds as on the pages, in a terminal. One module per command.

Exit codes: 0 done, 1 a bug of ours, 2 wrong usage, 3 wait (it goes on by itself or later), 4 a person must act.
"""

import os

import typer


def main() -> None:
    """Set Django up, then run the command that was typed."""
    set_up()
    from headwater.cli.app import app  # noqa: PLC0415 - commands import models, which need Django

    _run(app)


def set_up() -> None:
    """From here on modules with models can be imported. Safe to repeat."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "headwater.settings")
    import django  # noqa: PLC0415 - settings must be named before Django is loaded

    django.setup()


def _run(app: typer.Typer) -> None:
    from headwater.cli.database import REFUSALS, error_of  # noqa: PLC0415 - as above
    from headwater.cli.output import exit_code_of, show_error  # noqa: PLC0415 - as above
    from headwater.common.errors import HeadwaterError  # noqa: PLC0415 - as above

    try:
        app()
    except HeadwaterError as error:
        told = error
    except REFUSALS as refusal:
        told = error_of(refusal)
    else:
        return
    show_error(told)
    raise SystemExit(exit_code_of(told))
