"""`python -m benches.sync.headwater sync …`: the `headwater` command, with the bench's twenty fields of a contact.

Everything else is as always: all fifteen objects, of which only contacts are many.
"""

from typing import cast

from benches.credits.objects import CONTACT, FIELDS
from headwater.cli.main import main, set_up


def _read_the_benchs_fields() -> None:
    set_up()
    from headwater.sync.objects import IF_THERE, OBJECTS  # noqa: PLC0415 - it imports models, which need Django

    for fields, wanted in ((OBJECTS, FIELDS[CONTACT]), (IF_THERE, ())):
        cast("dict[str, tuple[str, ...]]", fields)[CONTACT] = wanted


if __name__ == "__main__":
    _read_the_benchs_fields()
    main()
