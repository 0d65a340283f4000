"""The formula language: what each function and operator gives, and how mistakes are worded (facts C.20)."""

from collections.abc import Iterator

import pytest

from orgsim.errors import ApiError
from unit.orgsim.formulas import Calculator, calculator


@pytest.fixture(scope="module")
def calc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calculator]:
    with calculator(tmp_path_factory.mktemp("formula")) as opened:
        yield opened


NUMBERS = [
    ("1 + 2 * 3", 7.0),
    ("2 * 3 ^ 2", 36.0),  # * binds tighter than ^, as the product's own grammar has it
    ("2 ^ 3 ^ 2", 64.0),
    ("-(2 - 5)", 3.0),
    ("1 /* a /* b */ + 2", 3.0),
    ("Amount / 2", 617.28),
    ("2.01 / 2", 1.01),
    ("-2.01 / 2", -1.01),
    ("1 / 3", 0.33),
    ("1 / 30000 * 30000", 1.0),
    ("2 / 3 + 0.005", 0.67),
    ("Amount * Rate__c", 154.32),
    ("Rate__c", 0.13),
    ("Account.AnnualRevenue - Amount", -234.06),
    ("1 / 0", None),
    ("Amount / (Amount / Blank__c)", None),
    ("Amount / Blank__c", None),
    ("Blank__c + 5", 5.0),
    ("NULL + 1", None),
    ("ABS(-1.25)", 1.25),
    ("ROUND(1234.5, -2)", 1200.0),
    ("ROUND(2.345, 2)", 2.35),
    ("ROUND(-2.5, 0)", -3.0),
    ("FLOOR(-1.4)", -1.0),
    ("CEILING(-1.4)", -2.0),
    ("CEILING(1.2)", 2.0),
    ("MFLOOR(-1.4)", -2.0),
    ("MCEILING(-1.4)", -1.0),
    ("TRUNC(-1.987, 1)", -1.9),
    ("MOD(123, 100)", 23.0),
    ("MOD(-23, 5)", -3.0),
    ("MOD(3, 0)", 3.0),
    ("MOD(5.5, 2)", 1.5),
    ("MAX(1, 2.5, Amount)", 1234.56),
    ("MIN(1, 2.5, 1 / 4)", 0.25),
    ("VALUE('12.5')", 12.5),
    ("VALUE('-007')", -7.0),
    ("VALUE('twelve')", None),
    ("VALUE('')", None),
    ("LEN(Name)", 8.0),
    ("LEN(Empty__c)", 0.0),
    ("FIND('e', 'Needle')", 2.0),
    ("FIND('e', 'Needle', 4)", 6.0),
    ("FIND('', 'x')", 0.0),
    ("CloseDate - DATE(2024, 1, 1)", 30.0),
    ("DATETIMEVALUE('2024-01-02 12:00:00') - DATETIMEVALUE('2024-01-01 00:00:00')", 1.5),
    ("YEAR(CloseDate) * 10000 + MONTH(CloseDate) * 100 + DAY(CloseDate)", 20240131.0),
    ("WEEKDAY(CloseDate)", 4.0),
    ("IF(IsClosed, 1, 1 / 4)", 0.25),
    ("CASE(StageName, 'closed won', 1, 'PROSPECTING', 2, 3)", 2.0),
    ("CASE(MONTH(CloseDate), 1, 10, 2, 20, 0)", 10.0),
    ("BLANKVALUE(NoDay__c, CloseDate) - CloseDate", 0.0),
    ("999999999999.99 + 0.01", 1000000000000.0),
    ("9999999999.99 * 9999999999.99", 9.99999999998e19),
]
TEXTS = [
    ("Name & '!' & Empty__c", "Big Deal!"),
    ("'a' + Empty__c", "a"),
    ("Empty__c", None),
    ("LEFT(Name, 3)", "Big"),
    ("LEFT(Name, 0)", None),
    ("RIGHT(Name, 4)", "Deal"),
    ("RIGHT(Name, 40)", "Big Deal"),
    ("RIGHT(Name, 0)", None),
    ("MID(Name, 5, 2)", "De"),
    ("UPPER(Name) & LOWER(Name)", "BIG DEALbig deal"),
    ("TRIM('  x ')", "x"),
    ("SUBSTITUTE(Name, 'Big', 'Small')", "Small Deal"),
    ("SUBSTITUTE(Name, Empty__c, 'x')", "Big Deal"),
    ("LPAD('7', 3, '0') & RPAD('ab', 4, 'xy') & LPAD('long', 2)", "007abxylo"),
    ("TEXT(StageName)", "Prospecting"),
    ("TEXT(CloseDate)", "2024-01-31"),
    ("TEXT(CreatedDate)", "2024-02-29 23:30:00Z"),
    ("TEXT(Amount)", "1234.56"),
    ("TEXT(1 / 4) & TEXT(-1 / 2) & TEXT(0.5)", ".25-.50.5"),
    ("TEXT(Rate__c * 2)", ".25"),
    ("TEXT(10 + 0.00)", "10"),
    ("TEXT(0 * Amount)", "0"),
    ("BR()", "<br>"),
    ("HYPERLINK('/' & 'x', Name)", '<a href="/x" target="_blank">Big Deal</a>'),
    ("IMAGE('/i.gif', 'red', 10, 20)", '<img src="/i.gif" alt="red" style="height:10px; width:20px;" border="0"/>'),
    ("IF(LEN(Id) = 15, CASESAFEID(Id), 'no')", "0065g0000000001AAA"),
    ("$User.Username & ' ' & $Profile.Name & ' ' & $Organization.Name", "ada@acme.example System Administrator Acme"),
    ("Owner.Email & Owner.Profile.Name", "ada@acme.exampleSystem Administrator"),
    ('Note__c & " it\'s " & \'a "b"\'', "It's 5% it's a \"b\""),
    ('"a\\nb" & "a\\\\b" & "\\""', 'a\\nba\\b"'),  # only \\ and \" stand for another text
    ("LEFT(LPAD('', 1300, 'x') & LPAD('', 1300, 'y'), 2600)", "x" * 1300),
]
DAYS = [
    ("ADDMONTHS(CloseDate, 1)", "2024-02-29"),
    ("ADDMONTHS(DATE(2024, 2, 29), 1)", "2024-03-31"),
    ("ADDMONTHS(DATE(2023, 1, 30), 1)", "2023-02-28"),
    ("ADDMONTHS(DATE(2024, 3, 15), -13)", "2023-02-15"),
    ("DATE(2024, 2, 30)", None),
    ("DATE(2024, 2, 28) + 3.9", "2024-03-02"),
    ("CloseDate - 31", "2023-12-31"),
    ("TODAY()", "2024-03-01"),  # half past eleven at night in UTC, after midnight where the user is
    ("DATEVALUE(CreatedDate)", "2024-03-01"),
    ("DATEVALUE('2024-05-06')", "2024-05-06"),
    ("DATEVALUE('2024-05-32')", None),
    ("NoDay__c + 1", None),
]
TRUTHS = [
    ("'a' = 'A'", False),
    ("Name = 'Big Deal'", True),
    ("Name <> 'Big Deal'", False),
    ("Empty__c = ''", True),
    ("Empty__c <> 'x'", True),
    ("'Left' > 'Left' || 'Left' < 'Loft' && 'a' > 'B'", True),
    ("Empty__c < 'x'", False),
    ("ISBLANK(Empty__c)", True),
    ("ISNULL(Empty__c)", False),
    ("ISBLANK(NoDay__c)", True),
    ("ISBLANK(1 / 0)", True),
    ("ISBLANK(Blank__c)", False),
    ("ISPICKVAL(StageName, 'prospecting')", True),
    ("ISPICKVAL(Type, '')", True),
    ("INCLUDES(Tags__c, 'blue green')", True),
    ("INCLUDES(Tags__c, 'Blue')", False),
    ("CONTAINS(Name, 'Deal') && NOT(CONTAINS(Name, 'deal'))", True),
    ("CONTAINS(Name, Empty__c)", True),
    ("BEGINS(Name, 'Big') && !BEGINS(Name, 'big')", True),
    ("NOT(BEGINS(Empty__c, 'a'))", False),  # null stays null
    ("ISNUMBER('1.5') && NOT(ISNUMBER('1.5.6')) && NOT(ISNUMBER(' 1'))", True),
    ("AND(TRUE, 1 = 1, OR(FALSE, NOT IsClosed))", True),
    ("CloseDate = DATE(2024, 1, 31) && CloseDate < TODAY() && CreatedDate <= NOW()", True),
    ("IsClosed = FALSE", True),
    ("NULLVALUE(Empty__c, 'x') = 'x'", False),
    ("BLANKVALUE(Empty__c, 'x') = 'x'", True),
    ("1.10 = 1.1 && 1/2 = 0.5", True),
    ("NoDay__c = CloseDate || NoDay__c <> CloseDate", False),
]
AS_BLANKS = [
    ("Blank__c + 5", "double", None),
    ("-Blank__c", "double", None),
    ("Blank__c < 5", "boolean", False),
    ("Blank__c = 0", "boolean", False),
    ("Blank__c <> 0", "boolean", False),
    ("ISBLANK(Blank__c)", "boolean", True),
    ("IF(Blank__c < 5, 1, 2)", "double", 2.0),
    ("BLANKVALUE(Blank__c, 7)", "double", 7.0),
    ("MAX(Blank__c, 1)", "double", None),
]


@pytest.mark.conformance(area="SOQL", feature="Formulas: operators and functions of numbers", source="facts C.20")
@pytest.mark.parametrize(("formula", "value"), NUMBERS)
def test_formulas_of_numbers_round_half_away_from_zero(calc: Calculator, formula: str, value: object) -> None:
    assert calc.compute(formula, "double") == value


@pytest.mark.conformance(area="SOQL", feature="Formulas: functions of texts", source="facts C.20")
@pytest.mark.parametrize(("formula", "value"), TEXTS)
def test_formulas_of_text_know_no_empty_text(calc: Calculator, formula: str, value: object) -> None:
    assert calc.compute(formula) == value


@pytest.mark.conformance(area="SOQL", feature="Formulas: functions of dates and times", source="facts C.20")
@pytest.mark.parametrize(("formula", "value"), DAYS)
def test_formulas_of_dates_follow_the_calendar(calc: Calculator, formula: str, value: object) -> None:
    assert calc.compute(formula, "date") == value


@pytest.mark.conformance(area="SOQL", feature="Formulas: comparisons and logic", source="facts C.20")
@pytest.mark.parametrize(("formula", "value"), TRUTHS)
def test_formulas_of_checkboxes_are_true_or_false(calc: Calculator, formula: str, value: object) -> None:
    assert calc.compute(formula, "boolean") is value


@pytest.mark.conformance(area="SOQL", feature="Formulas: blanks as blanks or as zeros", source="facts C.20")
@pytest.mark.parametrize(("formula", "kind", "value"), AS_BLANKS)
def test_blanks_stay_blank_where_the_field_says_so(calc: Calculator, formula: str, kind: str, value: object) -> None:
    assert calc.compute(formula, kind, blanks_as_zero=False) == value


def test_percents_are_hundredths_inside_and_percents_outside(calc: Calculator) -> None:
    assert calc.compute("Rate__c * 2", "percent") == 25.0
    assert calc.compute("IF(Amount = 0, 0, 100 / Amount)", "percent", scale=1) == 8.1


def test_datetimes_move_by_parts_of_a_day(calc: Calculator) -> None:
    assert calc.compute("CreatedDate + 1/24", "datetime") == "2024-03-01T00:30:00.000+0000"
    assert calc.compute("NOW() - 1.5", "datetime") == "2024-02-28T11:30:00.000+0000"
    assert calc.compute("DATETIMEVALUE('2024-01-02 03:04:05')", "datetime") == "2024-01-02T03:04:05.000+0000"


@pytest.mark.parametrize(
    ("formula", "kind", "message"),
    [
        ("Foo(1)", "string", "Unknown function FOO. Check spelling."),
        ("Nope__c", "string", "Field Nope__c does not exist. Check spelling."),
        ("Account.Nope", "string", "Field Account.Nope does not exist. Check spelling."),
        ("Nope.Name", "string", "Field Nope.Name does not exist. Check spelling."),
        ("$User.Nope", "string", "Field $User.Nope does not exist. Check spelling."),
        ("Name & 1", "string", "Incorrect parameter type for operator '&'. Expected Text, received Number"),
        (
            "TRUE + TRUE",
            "double",
            "Incorrect parameter type for operator '+'. Expected Number, Date, DateTime, received Boolean",
        ),
        ("CloseDate * 2", "double", "Incorrect parameter type for operator '*'. Expected Number, received Date"),
        ("-Name", "double", "Incorrect parameter type for operator '-'. Expected Number, received Text"),
        (
            "IsClosed = CloseDate",
            "boolean",
            "Incorrect parameter type for operator '='. Expected Boolean, received Date",
        ),
        ("LEFT(Name)", "string", "Incorrect number of parameters for function 'LEFT()'. Expected 2, received 1"),
        ("LEN(Amount)", "double", "Incorrect parameter type for function 'LEN()'. Expected Text, received Number"),
        (
            "YEAR(CreatedDate)",
            "double",
            "Incorrect parameter type for function 'YEAR()'. Expected Date, received DateTime",
        ),
        ("IF(1, 2, 3)", "double", "Incorrect parameter type for function 'IF()'. Expected Boolean, received Number"),
        ("IF(TRUE, 2, 'x')", "double", "Incorrect parameter type for function 'IF()'. Expected Number, received Text"),
        ("ISBLANK(IsClosed)", "boolean", "Incorrect argument type for function 'ISBLANK()'."),
        ("TEXT(IsClosed)", "string", "Incorrect argument type for function 'TEXT()'."),
        ("CASE(1, 2)", "double", "Incorrect number of parameters for function 'CASE()'. Expected 4, received 2"),
        (
            "ISPICKVAL(StageName, Name)",
            "boolean",
            "Incorrect parameter type for function 'ISPICKVAL()'. Expected Text Literal, received Text",
        ),
        (
            "StageName = 'x'",
            "boolean",
            "Field StageName is a picklist field. Picklist fields are only supported in certain functions.",
        ),
        (
            "Tags__c",
            "string",
            "Multi-select picklist fields are only supported in certain functions.",
        ),
        (
            "LEN(Long__c)",
            "double",
            'You referenced an unsupported field type called "Long Text Area" using the following field: Long__c',
        ),
        ("1 +", "double", "Syntax error. Found 'end of formula'"),
        ("(1 + 2", "double", "Syntax error. Missing ')'"),
        ("1)", "double", "Syntax error. Extra ')'"),
        ("1 2", "double", "Syntax error. Found '2'"),
        ("'a", "string", "Syntax error. Found '''"),
        ("'\\q'", "string", "Syntax error. Found '''"),
        ("ISNEW()", "boolean", "Function ISNEW may not be used in this type of formula"),
        ("ISCHANGED(Name)", "boolean", "Function ISCHANGED may not be used in this type of formula"),
        ("PRIORVALUE(Amount)", "double", "Function PRIORVALUE may not be used in this type of formula"),
        ("1 + 2", "string", "Formula result is data type (Number), incompatible with expected data type (Text)."),
        ("1", "boolean", "Formula result is data type (Number), incompatible with expected data type (true or false)."),
        (
            "Formula__c",
            "double",
            "Formula cannot use another formula field that directly or indirectly refers to itself.",
        ),
        (
            "'" + "x" * 3900 + "'",
            "string",
            "Formula is too long (3,902 characters). Maximum length is 3,900 characters",
        ),
        ("LEFT(" * 12 + "RIGHT(Name, 2)" + ", LEN(RIGHT(Name, 3)))" * 12, "string", ""),
        ("2 ^ Amount", "double", "orgsim computes ^ only with a whole number from 0 to 64 as exponent"),
        ("ROUND(Amount, LEN(Name))", "double", "orgsim computes ROUND() only with a number of digits written in the"),
        ("CASESAFEID('x')", "string", "orgsim computes CASESAFEID() only for a field that holds an id"),
    ],
)
def test_mistakes_are_worded_as_salesforce_words_them(calc: Calculator, formula: str, kind: str, message: str) -> None:
    if not message:
        assert calc.compute(formula, kind) is not None
        return
    with pytest.raises(ApiError) as refused:
        calc.compute(formula, kind)
    assert message in refused.value.message


@pytest.mark.conformance(
    area="SOQL", feature="Formulas too big to execute are refused", source="facts C.20", refused=True
)
def test_a_formula_too_big_to_execute_is_refused(calc: Calculator) -> None:
    nested = "1"
    for _ in range(8):
        nested = f"CEILING({nested} / 3)"
    with pytest.raises(ApiError, match=r"Compiled formula is too big to execute \([\d,]+ characters\)"):
        calc.compute(nested, "double")
    with pytest.raises(ApiError, match="nested too deeply"):
        calc.compute("(" * 10 + "-" * 200 + "1" + ")" * 10, "double")
