import pytest

from headwater.common.ids import to_18


def test_it_adds_the_checksum_that_salesforce_adds() -> None:
    assert to_18("001A0000006Vm9r") == "001A0000006Vm9rIAC"


def test_an_18_character_id_stays_as_it_is() -> None:
    assert to_18("001A0000006Vm9rIAC") == "001A0000006Vm9rIAC"


@pytest.mark.parametrize("bad", ["", "001A", "001A0000006Vm9rXXX", "001A0000006Vm9!", "001A0000006Vm9rI"])
def test_what_is_no_id_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="not a Salesforce id"):
        to_18(bad)
