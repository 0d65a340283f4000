"""Marks of SOQL tests: each feature of the language is a line on the conformance page."""

from typing import Any

import pytest

FACTS = "facts C.3"
GUIDE = "soql-sosl"


def soql_feature(
    feature: str, source: str = FACTS, *, refused: bool = False, endpoint: str = ""
) -> pytest.MarkDecorator:
    return pytest.mark.conformance(area="SOQL", feature=feature, source=source, refused=refused, endpoint=endpoint)


def shows(feature: str, *values: Any, source: str = FACTS, refused: bool = False) -> Any:
    """One case of a parametrised test, with the line it shows."""
    return pytest.param(*values, marks=soql_feature(feature, source, refused=refused))
