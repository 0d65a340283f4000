"""What a formula needs to know of the place it stands in. Fulfilled by soql/computed.py and store/validation.py."""

from typing import Protocol

from orgsim.formula.term import Term


class Surroundings(Protocol):
    """`strict` makes a division by zero an error of the statement; `blanks_as_zero` reads empty numbers as zero."""

    @property
    def strict(self) -> bool: ...

    @property
    def blanks_as_zero(self) -> bool: ...

    @property
    def today_sql(self) -> str: ...

    @property
    def now_sql(self) -> str: ...

    def local_day_sql(self, moment_sql: str) -> str:
        """The day of a datetime on the asker's calendar."""
        ...

    def reference(self, name: str) -> Term:
        """Raises FormulaError for a name that leads nowhere."""
        ...

    def prior(self, name: str) -> Term | None:
        """The field's value before the record was saved. None where a formula cannot know that."""
        ...

    def is_new_sql(self) -> str | None:
        """Whether the record is being created. None where a formula cannot know that."""
        ...
