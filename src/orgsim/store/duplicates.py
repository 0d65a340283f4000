"""Duplicate rules at work: looks for records that match one being saved, and refuses it (facts C.22).

Matching is made simple: fields are equal, text without regard to case. Not here: keeping the rules
(store/duplicaterules.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from orgsim.errors import ApiError
from orgsim.schema.model import DuplicateRule, SObject
from orgsim.soql.plan import Asker, read_record
from orgsim.store.chunk import Chunk
from orgsim.store.org import Org
from orgsim.store.rows import Row
from orgsim.store.values import Stored

CODE = "DUPLICATES_DETECTED"
MAX_MATCHES = 100
_HEADER_FROM_VERSION = 52


@dataclass(frozen=True, slots=True)
class DuplicateOptions:
    """What a request wants of the duplicate rules. `are_run` is off for what they do not look at: conversions."""

    allow_save: bool = False
    include_record_details: bool = False
    api_version: str = "67.0"
    are_run: bool = True

    @property
    def result_name(self) -> str:
        """Misspelled as recorded up to v51; spelled right as recorded for v60 (facts C.22)."""
        return "duplicateResult" if float(self.api_version) >= _HEADER_FROM_VERSION else "duplicateResut"


NOTHING_ASKED = DuplicateOptions()


def read_header(text: str, api_version: str) -> DuplicateOptions:
    """`Sforce-Duplicate-Rule-Header: allowSave=true; includeRecordDetails=true`, which is read from v52 on."""
    if float(api_version) < _HEADER_FROM_VERSION:
        return DuplicateOptions(api_version=api_version)
    pairs = (part.partition("=") for part in text.replace(",", ";").split(";"))
    wanted = {name.strip().lower() for name, _, value in pairs if value.strip().lower() == "true"}
    return DuplicateOptions("allowsave" in wanted, "includerecorddetails" in wanted, api_version)


@dataclass(frozen=True, slots=True)
class _Search:
    """One record that is being saved, among those it is compared with: not with others of the same chunk."""

    org: Org
    user_id: str
    sobject: SObject
    row: Row
    chunk: Chunk

    def matches(self, rule: DuplicateRule) -> list[str]:
        terms = [term for names in rule.match if (term := self._term(names))]
        if not terms:
            return []
        params: list[Stored] = [value for _, values in terms for value in values]
        others = orjson.dumps([self.row["Id"], *self.chunk.record_ids]).decode()
        hidden = "".join(f' AND "{name}" = 0' for name in ("IsDeleted", "IsConverted") if self.sobject.find(name))
        sql = (
            f'SELECT "Id" FROM "{self.sobject.name}" WHERE ({" OR ".join(sql for sql, _ in terms)}){hidden} '  # noqa: S608  names come from the schema
            f'AND "Id" NOT IN (SELECT value FROM json_each(?)) LIMIT {MAX_MATCHES}'
        )
        return sorted(row[0] for row in self.org.database.connect().execute(sql, (*params, others)))

    def _term(self, names: tuple[str, ...]) -> tuple[str, list[Stored]] | None:
        """None when one of the fields is blank, which matches nothing."""
        values = [self.row.get(name) for name in names]
        if None in values:
            return None
        return "(" + " AND ".join(f'"{name}" = ?' for name in names) + ")", values

    def refusal(self, rule: DuplicateRule, found: list[str], options: DuplicateOptions) -> ApiError:
        asker = Asker(self.org, self.user_id, options.api_version)
        names = None if options.include_record_details else ["Id"]
        texts = [read_record(asker, self.sobject, record_id, names) for record_id in found]
        records = [
            {"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0, "record": orjson.loads(text)}
            for text in texts
            if text is not None
        ]
        match = {
            "entityType": self.sobject.name,
            "errors": [],
            "matchEngine": "ExactMatchEngine",
            "matchRecords": records,
            "rule": matching_rule_name(rule),
            "size": len(records),
            "success": True,
        }
        result = {
            "allowSave": rule.action == "Allow",
            "duplicateRule": rule.name,
            "duplicateRuleEntityType": self.sobject.name,
            "errorMessage": rule.message,
            "matchResults": [match],
        }
        return ApiError(CODE, rule.message, details={options.result_name: result})


def refuse_matching(
    org: Org, user_id: str, sobject: SObject, row: Row, old: Row | None, chunk: Chunk, options: DuplicateOptions
) -> None:
    """Raises ApiError by the first rule that finds a match and does not let the record pass."""
    search = _Search(org, user_id, sobject, row, chunk)
    for rule in _rules_to_run(sobject, row, old, options):
        if found := search.matches(rule):
            raise search.refusal(rule, found, options)


def matching_rule_name(rule: DuplicateRule) -> str:
    return f"{rule.name}_Match"


def _rules_to_run(sobject: SObject, row: Row, old: Row | None, options: DuplicateOptions) -> Iterator[DuplicateRule]:
    """Those that could refuse. A record that is changed is looked at only when a field that is matched changes."""
    if not options.are_run:
        return
    for rule in sobject.duplicate_rules:
        names = {name for alternative in rule.match for name in alternative}
        is_touched = old is None or any(old.get(name) != row.get(name) for name in names)
        passes = rule.action == "Allow" and (options.allow_save or not rule.alert)
        if rule.active and is_touched and not passes:
            yield rule
