"""The five standard attribution models as whole numbers. They are constants: nobody edits them.

Weights are thousandths, so that 22.5 % is exact. How credit follows from them: docs/reference/attribution.md
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

WHOLE = 1000  # thousandths


class Stage(Enum):
    """Milestones in the order of an opportunity's life, which is also their order in a positions text."""

    FT = "FT"
    LC = "LC"
    OC = "OC"
    CLOSED = "Closed"


@dataclass(frozen=True, slots=True)
class Model:
    """`middle` is shared equally by the form-like touches from FT to `end` that hold no weighted stage."""

    code: str
    label: str
    stages: Mapping[Stage, int]  # thousandths, above zero
    middle: int  # thousandths
    end: Stage

    def __post_init__(self) -> None:
        if sum(self.stages.values()) + self.middle != WHOLE or min(self.stages.values()) <= 0:
            raise ValueError(f"The weights of {self.label} must be above zero and sum to {WHOLE}.")


def _model(code: str, label: str, weights: dict[Stage, int], middle: int, end: Stage) -> Model:
    return Model(code, label, MappingProxyType(weights), middle, end)


FIRST_TOUCH = _model("first_touch", "First Touch", {Stage.FT: 1000}, 0, Stage.FT)
LEAD_CREATION = _model("lead_creation", "Lead Creation", {Stage.LC: 1000}, 0, Stage.LC)
U_SHAPED = _model("u_shaped", "U-shaped", {Stage.FT: 400, Stage.LC: 400}, 200, Stage.LC)
W_SHAPED = _model("w_shaped", "W-shaped", {Stage.FT: 300, Stage.LC: 300, Stage.OC: 300}, 100, Stage.OC)
FULL_PATH = _model("full_path", "Full Path", dict.fromkeys(Stage, 225), 100, Stage.CLOSED)

STANDARD_MODELS = (FIRST_TOUCH, LEAD_CREATION, U_SHAPED, W_SHAPED, FULL_PATH)


def percent_text(thousandths: int) -> str:
    """22.5 for 225, 30 for 300."""
    whole, tenth = divmod(thousandths, 10)
    return f"{whole}.{tenth}" if tenth else str(whole)
