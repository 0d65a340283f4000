"""A My Domain may be pasted in every form in which Salesforce shows it, and never leads to a foreign host."""

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headwater.common.errors import Fix
from headwater.connections.my_domain import my_domain_url

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,20}(-[a-z0-9]{1,8})?", fullmatch=True)
PARTITIONS = st.sampled_from(["", "sandbox", "develop", "scratch", "trailblaze", "demo", "patch"])
OWN_HOST = re.compile(r"[a-z0-9-]+(\.(sandbox|develop|scratch|trailblaze|demo|patch|free))?\.my\.salesforce\.com")


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("acme.my.salesforce.com", "acme.my.salesforce.com"),
        ("  https://ACME.my.salesforce.com/lightning/page/home?x=1#top ", "acme.my.salesforce.com"),
        ("http://acme.my.salesforce.com/", "acme.my.salesforce.com"),  # it is only ever asked over https
        ("https://acme.my.salesforce.com:443/", "acme.my.salesforce.com"),
        ("acme--uat.sandbox.my.salesforce.com", "acme--uat.sandbox.my.salesforce.com"),
        ("acme-dev-ed.develop.my.salesforce.com", "acme-dev-ed.develop.my.salesforce.com"),
        ("https://acme.lightning.force.com/lightning/setup/OrgDomain/home", "acme.my.salesforce.com"),
        ("acme--uat.sandbox.lightning.force.com", "acme--uat.sandbox.my.salesforce.com"),
        ("https://acme.my.salesforce-setup.com/lightning/setup/SetupOneHome/home", "acme.my.salesforce.com"),
        ("acme--uat.sandbox.my.salesforce-setup.com", "acme--uat.sandbox.my.salesforce.com"),
        ("https://acme--c.vf.force.com/apex/page", "acme.my.salesforce.com"),
        ("acme--uat--c.sandbox.vf.force.com", "acme--uat.sandbox.my.salesforce.com"),
    ],
)
def test_every_form_that_salesforce_shows_is_understood(typed: str, host: str) -> None:
    assert my_domain_url(typed) == f"https://{host}"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "no address"),
        ("acme", "if this is the org's name, enter acme.my.salesforce.com"),
        ("acme.salesforce.com", "enter acme.my.salesforce.com"),
        ("https://login.salesforce.com", "choose Production"),
        ("test.salesforce.com", "choose Sandbox"),
        ("na139.my.force.com", "not that of one Salesforce org"),
        ("acme.my.site.com", "not that of one Salesforce org"),
        ("my.salesforce.com", "not that of one Salesforce org"),
        ("acme.other.my.salesforce.com", "not that of one Salesforce org"),
        ("acme.vf.force.com", "not that of one Salesforce org"),
        ("evil.example", "not that of one Salesforce org"),
        ("acme.my.salesforce.com.evil.example", "not that of one Salesforce org"),
        ("evil.example/acme.my.salesforce.com", "not that of one Salesforce org"),
        ("acme.my.salesforce.com@evil.example", "user name or a password"),
        ("https://acme.my.salesforce.com:pw@evil.example/", "user name or a password"),
        ("https://user@acme.my.salesforce.com", "user name or a password"),
        ("acme.my.salesforce.com:8443", "names a port"),
        ("acme.my.salesforce.com:", "names a port"),
        ("acme.my.salesforce.com:x", "no address"),
        ("acme.my.salesforce.com.", "not that of one Salesforce org"),
        ("https://evil.example\\.my.salesforce.com", "no address"),
        ("https://evil.example\t.my.salesforce.com", "no address"),
        ("xn--cme-tma.my.salesforce.com", "not that of one Salesforce org"),
        ("äcme.my.salesforce.com", "no address"),
        ("acme。my。salesforce。com", "no address"),
        ("acme.my.\u017falesforce.com", "no address"),
        ("ftp://acme.my.salesforce.com", "no address"),
        ("javascript://acme.my.salesforce.com/%0aalert(1)", "no address"),
    ],
)
def test_everything_else_is_refused_with_what_to_enter(typed: str, words: str) -> None:
    with pytest.raises(Fix) as refused:
        my_domain_url(typed)
    assert refused.value.code == "connections.bad_my_domain"
    assert words in f"{refused.value.facts.why} {refused.value.facts.you_can}"
    assert "acme.my.salesforce.com" in refused.value.facts.you_can


@given(NAMES, PARTITIONS)
def test_all_the_names_of_one_org_lead_to_one_address(name: str, partition: str) -> None:
    middle = f".{partition}" if partition else ""
    own = f"https://{name}{middle}.my.salesforce.com"
    for host in (
        f"{name}{middle}.my.salesforce.com",
        f"{name.upper()}{middle}.lightning.force.com/lightning/o/Lead/list",
        f"https://{name}{middle}.my.salesforce-setup.com/",
        f"{name}--c{middle}.vf.force.com",
    ):
        assert my_domain_url(host) == own


HOSTILE = st.one_of(
    st.text(),
    st.text(alphabet="acme.my-salesforce:/@\\#?%x0[]_ \t\n。").map(lambda text: f"{text}.my.salesforce.com"),
    st.text(alphabet="acme.my-salesforce:/@\\#?%x0[]_ \t\n。").map(lambda text: f"acme.my.salesforce.com{text}"),
)


@given(HOSTILE)
@example("https://acme.my.salesforce.com:443@evil.example")
@example("//evil.example/.my.salesforce.com")
def test_whatever_is_typed_it_is_an_orgs_own_host_or_refused(typed: str) -> None:
    try:
        url = my_domain_url(typed)
    except Fix as refused:
        if refused.code != "connections.bad_my_domain":
            raise
        return
    parts = urlsplit(url)
    assert url == f"https://{parts.hostname}"
    assert OWN_HOST.fullmatch(str(parts.hostname))
    assert not str(parts.hostname).startswith("xn--")
    assert my_domain_url(url) == url
