"""Who gets credit: touches, positions, weights, shares and their explanation, as SQL over the local copy.

The algorithm, its guarantees and worked tables: docs/reference/attribution.md
"""

from headwater.attribution.pipeline import (
    DropReason,
    ModelSum,
    RunResult,
    attribute,
    build_touches,
    run,
)
from headwater.attribution.rules import (
    Activity,
    ActivityDate,
    ActivityRule,
    CampaignRule,
    ChannelRule,
    Mapping,
    MemberDate,
    Rules,
)
from headwater.attribution.sources import fields_read
from headwater.attribution.standard_models import STANDARD_MODELS, Model, Stage

__all__ = [
    "STANDARD_MODELS",
    "Activity",
    "ActivityDate",
    "ActivityRule",
    "CampaignRule",
    "ChannelRule",
    "DropReason",
    "Mapping",
    "MemberDate",
    "Model",
    "ModelSum",
    "Rules",
    "RunResult",
    "Stage",
    "attribute",
    "build_touches",
    "fields_read",
    "run",
]
