"""`python -m benches.sync.headwater sync …`: the `headwater` command, with the bench's twenty fields of a contact.

Everything else is as always: all fifteen objects, of which only contacts are many.
"""

from typing import cast

from benches.credits.objects import CONTACT, FIELDS
from headwater.cli.main import main
from headwater.sync.objects import OBJECTS

if __name__ == "__main__":
    cast("dict[str, tuple[str, ...]]", OBJECTS)[CONTACT] = FIELDS[CONTACT]
    main()
