"""The functions of the formula language by name."""

from orgsim.formula.functions.dates import DATES
from orgsim.formula.functions.logic import LOGIC
from orgsim.formula.functions.numbers import NUMBERS
from orgsim.formula.functions.signature import Function
from orgsim.formula.functions.texts import TEXTS

FUNCTIONS: dict[str, Function] = {**LOGIC, **TEXTS, **DATES, **NUMBERS}
