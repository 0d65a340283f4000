"""Names and addresses: consistent within a company, awkward where real ones are."""

from collections import Counter

from orgsim.seeding.dice import Dice
from orgsim.seeding.lexicon.names import FREE_MAIL, LOCALES, QUALIFIERS, STEMS
from orgsim.seeding.naming import CompanyRegister, ascii_slug
from unit.orgsim_seeding.orgs import Org


def _host(website: str) -> str:
    return website.rpartition("//")[2].removeprefix("www.")


def test_no_two_companies_share_a_domain_even_past_every_plain_pair_of_words() -> None:
    register = CompanyRegister(Dice(4))
    domains = {register.found().domain for _ in range(60_000)}
    assert len(domains) == 60_000


def test_no_word_of_a_company_name_appears_twice_in_its_list() -> None:
    lists = [QUALIFIERS, *(locale.trades for locale in LOCALES.values())]
    lists += [STEMS + locale.family for locale in LOCALES.values()]
    for words in lists:
        slugs = [ascii_slug(word) for word in words]
        assert all(slugs)
        assert len(set(slugs)) == len(slugs)


def test_a_slug_is_plain_ascii() -> None:
    assert ascii_slug("Größe") == "groesse"
    assert ascii_slug("Łukaszewicz") == "lukaszewicz"
    assert ascii_slug("van 't Hof") == "vanthof"
    assert ascii_slug("D'Arcy") == "darcy"


def test_an_address_belongs_to_the_website_of_its_company_or_to_free_mail(org: Org) -> None:
    at_work = at_home = 0
    for contact in org["Contact"]:
        if contact["Email"] is None:
            continue
        host = contact["Email"].split("@")[1]
        assert contact["Email"].isascii()
        if host in FREE_MAIL:
            at_home += 1
        else:
            at_work += 1
            assert host == _host(org.by_id[contact["AccountId"]]["Website"])
    assert 0 < at_home < 0.1 * at_work


def test_few_contacts_lack_an_address(org: Org) -> None:
    without = sum(contact["Email"] is None for contact in org["Contact"]) / len(org["Contact"])
    assert 0.015 < without < 0.045


def test_a_few_people_are_entered_twice_under_one_address(org: Org) -> None:
    leads = Counter(lead["Email"] for lead in org["Lead"] if lead["Email"])
    repeated = sum(count > 1 for count in leads.values())
    assert 0 < repeated < 0.05 * len(leads)


def test_names_carry_accents_apostrophes_commas_and_quotes(org: Org) -> None:
    companies = "".join(account["Name"] for account in org["Account"])
    people = "".join(contact["Name"] for contact in org["Contact"])
    assert set(",\"'&.éü") <= set(companies)
    assert set("'-øłçñ") <= set(people)
