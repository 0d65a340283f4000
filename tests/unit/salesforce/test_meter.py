import pytest

from headwater.salesforce.meter import OrgUsage, read_limit_info


def test_it_reads_used_and_limit() -> None:
    assert read_limit_info("api-usage=10018/100000") == OrgUsage(10018, 100000)


def test_a_per_app_part_does_not_switch_the_reading_off() -> None:
    header = "api-usage=25/5000; per-app-api-usage=17/250(appName=sample-connected-app)"
    assert read_limit_info(header) == OrgUsage(25, 5000)


def test_an_absent_header_is_no_reading() -> None:
    assert read_limit_info(None) is None


def test_a_header_that_says_something_else_is_an_error() -> None:
    with pytest.raises(ValueError, match="api-usage"):
        read_limit_info("something-else=1/2")
