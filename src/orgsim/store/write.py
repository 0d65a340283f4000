"""Saves records as one user: checks what was sent, fills in the rest, keeps stamps, history and the recycle bin.

Not here: who may (that is the session's matter) and edits of several records at once, such as merges (edits/).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from orgsim import ids
from orgsim.errors import ApiError, missing_on_sobject, not_found
from orgsim.schema.catalog import Catalog
from orgsim.schema.model import Field, SObject
from orgsim.store.access import may, view_of
from orgsim.store.changes import add_record, change_record, remove_record
from orgsim.store.chunk import Chunk
from orgsim.store.currencies import settle_currency
from orgsim.store.derive import Saving, fill_in, is_old_activity
from orgsim.store.duplicates import NOTHING_ASKED, DuplicateOptions, refuse_matching
from orgsim.store.fieldhistory import write_event, write_field_history
from orgsim.store.grants import check_grant, settle_saved
from orgsim.store.history import write_stage_history
from orgsim.store.locks import refuse_locked
from orgsim.store.org import Org
from orgsim.store.recordtypes import open_object, settle_record_type
from orgsim.store.recyclebin import empty_old, note_binned, note_erased, note_restored, owned_rows, root_in_bin
from orgsim.store.restrict import refuse_referenced
from orgsim.store.rows import Row, live_ids, read_row
from orgsim.store.shape import shape_of
from orgsim.store.triggers import reckon_cpu_ms
from orgsim.store.validation import refuse_invalid
from orgsim.store.values import Stored, not_writable, to_stored

_NOT_DATA = frozenset({"attributes", "type"})


@dataclass(frozen=True, slots=True)
class Writer:
    """One user's writes to one org. Each method is one transaction; inside another it is a part of that one.

    `chunk`, where it is given, takes the writes together, and `reckon_cpu_ms` must see it in the end; else each is a
    chunk of its own. `origin` is what the history of new records begins with. With `enforced` the user's rights count,
    as for whoever comes by an API.
    """

    org: Org
    user_id: str
    duplicates: DuplicateOptions = NOTHING_ASKED
    chunk: Chunk | None = None
    origin: str = "created"
    enforced: bool = False

    @property
    def catalog(self) -> Catalog:
        """What there is to write to."""
        return view_of(self.org, self.user_id).catalog if self.enforced else self.org.catalog()

    def in_chunk(self, chunk: Chunk) -> "Writer":
        return replace(self, chunk=chunk)

    def without_duplicate_rules(self) -> "Writer":
        """As Salesforce saves what a conversion or a merge makes (facts C.22)."""
        return replace(self, duplicates=replace(self.duplicates, are_run=False))

    def with_origin(self, event: str) -> "Writer":
        return replace(self, origin=event)

    def insert(self, name: str, values: Mapping[str, object]) -> str:
        """Returns the new Id. Raises ApiError as the API words it."""
        seen = self._sobject(name)
        if not seen.createable:
            raise ApiError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be inserted: {seen.label}")
        sobject = self.org.catalog().get(seen.name)
        with self.org.database.write():
            sent = self._read_values(seen, values, creating=True)
            row = self._new_row(sobject, sent)
            self._save_new(sobject, row, frozenset(sent))
            self._run_triggers(sobject, "Insert")
        return str(row["Id"])

    def update(self, name: str, record_id: str, values: Mapping[str, object]) -> None:
        seen = self._sobject(name)
        sobject = self.org.catalog().get(seen.name)
        with self.org.database.write() as connection:
            old = self._live_row(sobject, record_id)
            self._refuse_read_only(seen, old)
            sent = self._read_values(seen, values, creating=False)
            row: Row = {**old, **sent}
            self._refuse_missing(sobject, row, tuple(sent))
            self._touch(sobject, row)
            self._settle_record_type(sobject, row, old)
            fill_in(sobject.name, Saving(connection, self.org.catalog(), self.org.now(), row, old, frozenset(sent)))
            self._archive(sobject, row)
            self._check_links(sobject, row, sent)
            refuse_invalid(self.org, self.user_id, sobject, row, old)
            self._refuse_duplicates(sobject, row, sent)
            self._refuse_matching(sobject, row, old)
            refuse_locked(self.org, sobject, row, old)
            change_record(self.org, sobject, str(row["Id"]), _difference(old, row))
            self._write_history(sobject, row, old)
            self._run_triggers(sobject, "Update")

    def upsert(self, name: str, key: str, value: object, values: Mapping[str, object]) -> tuple[str, bool]:
        """Returns (Id, whether it was created). Several matches raise DUPLICATE_EXTERNAL_ID."""
        sobject = self._sobject(name)
        field = self.external_id(sobject, key)
        with self.org.database.join():
            found = self.find_by_key(sobject, field, value)
            if len(found) > 1:
                message = f"{field.name}: more than one record found for external id field: [{', '.join(found)}]"
                raise ApiError("DUPLICATE_EXTERNAL_ID", message, status=300, fields=())
            if found:
                self.update(name, found[0], values)
                return found[0], False
            if field.name == "Id":
                raise not_found("Provided external ID field does not exist or is not accessible: Id")
            return self.insert(name, {**values, field.name: value}), True

    def delete(self, name: str, record_id: str) -> None:
        """Into the recycle bin, with everything that hangs on it (facts C.2)."""
        sobject = self._deletable(name)
        with self.org.database.write():
            row = self._live_row(sobject, record_id)
            refuse_locked(self.org, sobject, row)
            taken = self._live_owned(sobject, str(row["Id"]))
            refuse_referenced(self.org, sobject, row, taken)
            self._bin_together(sobject, str(row["Id"]), taken)
            self._run_triggers(sobject, "Delete")

    def undelete(self, name: str, record_id: str) -> None:
        """Out of the recycle bin, with everything that went there together with it."""
        seen = self._sobject(name)
        if not seen.undeletable:
            raise ApiError("INVALID_TYPE_FOR_OPERATION", f"entity type cannot be undeleted: {seen.label}")
        sobject = self.org.catalog().get(seen.name)
        empty_old(self.org)
        with self.org.database.write() as connection:
            row = read_row(connection, sobject, self._id_of(sobject, record_id))
            if row is None or not row.get("IsDeleted") or row.get("MasterRecordId"):
                raise ApiError("UNDELETE_FAILED", "Entity is not in the recycle bin")
            refuse_locked(self.org, sobject, row)
            if master := self._missing_master(sobject, row):
                raise ApiError("UNDELETE_FAILED", f"{master.label}: the record it belongs to is deleted")
            self._restore_together(sobject, str(row["Id"]))
            self._run_triggers(sobject, "Undelete")

    def purge(self, name: str, record_id: str) -> None:
        """Gone without a tombstone in queryAll, as by emptying the bin or a Bulk hardDelete."""
        sobject = self._deletable(name)
        with self.org.database.write() as connection:
            row = read_row(connection, sobject, self._id_of(sobject, record_id))
            if row is None:
                raise ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=())
            refuse_locked(self.org, sobject, row)
            for child, owned in owned_rows(self.org, sobject, str(row["Id"])):
                self._erase(child, str(owned["Id"]))
            self._erase(sobject, str(row["Id"]))
            if not row.get("IsDeleted"):
                self._run_triggers(sobject, "Delete")

    def set_fields(self, name: str, record_id: str, values: Mapping[str, Stored]) -> None:
        """Set stored values as the platform itself does (conversion, merge): no checks, stamps moved."""
        sobject = self.org.catalog().get(name)
        with self.org.database.write():
            row: Row = dict(values)
            self._touch(sobject, row)
            change_record(self.org, sobject, record_id, row)

    # keys

    def external_id(self, sobject: SObject, key: str) -> Field:
        field = sobject.find(key)
        if field is None or not (field.external_id or field.id_lookup or field.name == "Id"):
            raise not_found(f"Provided external ID field does not exist or is not accessible: {key}")
        return field

    def find_by_key(self, sobject: SObject, field: Field, value: object) -> list[str]:
        """Ids of the live records with that key. An empty key is refused, as upserting by nothing would be a create."""
        stored = to_stored(field, value)
        if stored is None:
            raise ApiError("MISSING_ARGUMENT", f"{field.name} not specified", fields=(field.name,))
        return live_ids(self.org.database.connect(), sobject, field.name, stored)

    # reading what was sent

    def _sobject(self, name: str) -> SObject:
        """As the user sees it."""
        sobject = self.catalog.find(name)
        if sobject is None:
            raise not_found()
        return sobject

    def _deletable(self, name: str) -> SObject:
        """The whole object, of which the user may delete records."""
        seen = self._sobject(name)
        if not seen.deletable:
            raise _no_right()
        return self.org.catalog().get(seen.name)

    def _read_values(self, sobject: SObject, values: Mapping[str, object], *, creating: bool) -> Row:
        row: Row = {}
        fixed = []
        for name, value in values.items():
            if name in _NOT_DATA:
                continue
            field, stored = self._read_value(sobject, name, value)
            if not (field.createable if creating else field.updateable):
                fixed.append(field.name)
            row[field.name] = stored
        if fixed:
            raise not_writable(*fixed)
        return row

    def _read_value(self, sobject: SObject, name: str, value: object) -> tuple[Field, Stored]:
        field = sobject.find(name)
        if field is not None:
            return field, to_stored(field, value)
        reference = sobject.find_relationship(name)
        if reference is None or not isinstance(value, Mapping):
            raise missing_on_sobject(name, sobject.name)
        return reference, self._find_parent(reference, value)

    def _find_parent(self, reference: Field, keys: Mapping[str, object]) -> str | None:
        """A parent named by an external id: `{"Account": {"Key__c": "x"}}`, where needed with its `type`."""
        [(key, value)] = [item for item in keys.items() if item[0] not in _NOT_DATA]
        if value is None:
            return None
        for target in _targets(reference, keys):
            parent = self._sobject(target)
            found = self.find_by_key(parent, self.external_id(parent, key), value)
            if len(found) == 1:
                return found[0]
        raise ApiError(
            "INVALID_FIELD",
            f"Foreign key external ID: {value} not found for field {key} in entity {reference.reference_to[0]}",
        )

    # building the row

    def _new_row(self, sobject: SObject, sent: Row) -> Row:
        shape = shape_of(self.org, sobject)
        row: Row = shape.blank | sent
        row["Id"] = self.org.new_id(sobject.key_prefix)
        if "CreatedDate" in row:
            row["CreatedDate"] = self.org.now_text()
        if "CreatedById" in row:
            row["CreatedById"] = self.user_id
        if "OwnerId" in row and row["OwnerId"] is None:
            row["OwnerId"] = self.user_id
        for field in shape.auto_numbers:
            row[field.name] = field.numbered(self.org.next_number(f"{sobject.name}.{field.name}"))
        self._touch(sobject, row)
        return row

    def _save_new(self, sobject: SObject, row: Row, sent: frozenset[str]) -> None:
        connection = self.org.database.connect()
        self._refuse_missing(sobject, row, shape_of(self.org, sobject).required)
        self._settle_record_type(sobject, row, None)
        fill_in(sobject.name, Saving(connection, self.org.catalog(), self.org.now(), row, None, sent))
        self._archive(sobject, row)
        self._check_links(sobject, row, sent)
        refuse_invalid(self.org, self.user_id, sobject, row, None)
        self._refuse_duplicates(sobject, row, shape_of(self.org, sobject).unique)
        self._refuse_matching(sobject, row, None)
        refuse_locked(self.org, sobject, row)
        add_record(self.org, sobject, row)
        self._write_history(sobject, row, None)

    def _write_history(self, sobject: SObject, row: Row, old: Row | None) -> None:
        if old is None:
            write_event(self.org, self.user_id, sobject, str(row["Id"]), self.origin)
        else:
            write_field_history(self.org, self.user_id, sobject, row, old)
        if sobject.name == "Opportunity":
            write_stage_history(self.org, self.user_id, row, old)

    def _touch(self, sobject: SObject, row: Row) -> None:
        shape = shape_of(self.org, sobject)
        for name in shape.touch_moments:
            row[name] = self.org.now_text()
        for name in shape.touch_users:
            row[name] = self.user_id

    def _settle_record_type(self, sobject: SObject, row: Row, old: Row | None) -> None:
        if sobject.name == "RecordType":
            open_object(self.org, row)
        settle_record_type(self.org, sobject, row, old)
        settle_currency(self.org, self.user_id, sobject, row)
        check_grant(self.org, sobject, row, old)

    def _archive(self, sobject: SObject, row: Row) -> None:
        if sobject.name in ("Task", "Event"):
            row["IsArchived"] = int(is_old_activity(sobject.name, row, self.org.now()))

    # refusing

    def _refuse_read_only(self, seen: SObject, old: Row) -> None:
        if self.enforced and not seen.updateable:
            raise _no_right()
        is_converted = seen.name == "Lead" and old.get("IsConverted")
        if self.enforced and is_converted and not may(self.org, self.user_id, "AllowViewEditConvertedLeads"):
            raise ApiError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", fields=())

    def _refuse_missing(self, sobject: SObject, row: Row, names: Iterable[str]) -> None:
        missing = tuple(
            name for name in names if row.get(name) is None and (field := sobject.find(name)) and field.is_required
        )
        if missing:
            raise ApiError(
                "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", fields=missing
            )

    def _check_links(self, sobject: SObject, row: Row, names: Iterable[str]) -> None:
        for name in names:
            field, target = sobject.find(name), row.get(name)
            if field is None or field.type != "reference" or target is None:
                continue
            parent = self.org.catalog().of_id(str(target))
            if parent is None or parent.name not in field.reference_to:
                message = f"{field.label}: id value of incorrect type: {target}"
                raise ApiError("FIELD_INTEGRITY_EXCEPTION", message, fields=(field.name,))
            if not live_ids(self.org.database.connect(), parent, "Id", str(target)):
                raise ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=())
            if self.catalog.find(parent.name) is None:
                message = f"insufficient access rights on cross-reference id: {str(target)[:15]}"
                raise ApiError("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", message, fields=())

    def _refuse_duplicates(self, sobject: SObject, row: Row, names: Iterable[str]) -> None:
        for name in names:
            field, value = sobject.find(name), row.get(name)
            if field is None or not field.unique or value is None:
                continue
            for other_id in live_ids(self.org.database.connect(), sobject, field.name, value):
                if other_id != row["Id"]:
                    raise _duplicate(field, other_id)

    def _refuse_matching(self, sobject: SObject, row: Row, old: Row | None) -> None:
        chunk = self.chunk or Chunk()
        refuse_matching(self.org, self.user_id, sobject, row, old, chunk, self.duplicates)
        chunk.record_ids.add(str(row["Id"]))

    def _run_triggers(self, sobject: SObject, event: str) -> None:
        """Those of a given chunk are reckoned by whoever gave it, when it is complete."""
        settle_saved(self.org, sobject)
        chunk = self.chunk or Chunk()
        chunk.saves[sobject.name, event] += 1
        if self.chunk is None:
            reckon_cpu_ms(self.org, chunk)

    def _live_row(self, sobject: SObject, record_id: str) -> Row:
        shape = shape_of(self.org, sobject)
        found = self.org.database.connect().execute(shape.select_sql, (self._id_of(sobject, record_id),)).fetchone()
        if found is None:
            raise ApiError("NOT_FOUND", "The requested resource does not exist", status=404)
        row: Row = dict(zip(shape.blank, found, strict=True))
        if row.get("IsDeleted"):
            raise ApiError("ENTITY_IS_DELETED", "entity is deleted", status=404, fields=())
        return row

    def _id_of(self, sobject: SObject, record_id: str) -> str:
        if not ids.is_id(record_id) or not record_id.startswith(sobject.key_prefix):
            message = f"{sobject.label} ID: id value of incorrect type: {record_id}"
            raise ApiError("MALFORMED_ID", message, fields=("Id",))
        return ids.to_18(record_id)

    # the recycle bin

    def bin_loser(self, sobject: SObject, loser_id: str, winner_id: str) -> None:
        """Into the recycle bin as a merge does it, with what has not moved to the winner."""
        self._bin_together(sobject, loser_id, self._live_owned(sobject, loser_id), {"MasterRecordId": winner_id})

    def _live_owned(self, sobject: SObject, record_id: str) -> list[tuple[SObject, Row]]:
        """Each row once, though it may hang on two that are deleted."""
        owned = owned_rows(self.org, sobject, record_id)
        return list({each["Id"]: (child, each) for child, each in owned if not each.get("IsDeleted")}.values())

    def _bin_together(
        self, sobject: SObject, record_id: str, taken: list[tuple[SObject, Row]], values: Row | None = None
    ) -> None:
        for child, each in taken:
            self._bin(child, str(each["Id"]), record_id)
        self._bin(sobject, record_id, record_id, values)

    def _bin(self, sobject: SObject, record_id: str, root_id: str, values: Row | None = None) -> None:
        if not sobject.has_recycle_bin:
            self._erase(sobject, record_id)
            return
        self.set_fields(sobject.name, record_id, {**(values or {}), "IsDeleted": 1})
        note_binned(self.org, sobject, record_id, root_id)

    def _restore(self, sobject: SObject, record_id: str) -> None:
        self.set_fields(sobject.name, record_id, {"IsDeleted": 0})
        note_restored(self.org, sobject, record_id)

    def _erase(self, sobject: SObject, record_id: str) -> None:
        remove_record(self.org, sobject, record_id)
        note_erased(self.org, sobject, record_id)

    def _restore_together(self, sobject: SObject, record_id: str) -> None:
        """Masters before their details; a detail of two comes back when both are there."""
        root_id = root_in_bin(self.org, record_id)
        owned = list(owned_rows(self.org, sobject, record_id))
        self._restore(sobject, record_id)
        for child, each in reversed(owned):
            if root_in_bin(self.org, str(each["Id"])) == root_id and not self._missing_master(child, each):
                self._restore(child, str(each["Id"]))

    def _missing_master(self, sobject: SObject, row: Row) -> Field | None:
        """The field of a detail whose master is deleted."""
        for field in sobject.fields:
            if field.cascade_delete and (master_id := row.get(field.name)):
                master = self.org.catalog().of_id(str(master_id))
                found = master and read_row(self.org.database.connect(), master, str(master_id))
                if not found or found.get("IsDeleted"):
                    return field
        return None


def _no_right() -> ApiError:
    return ApiError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", fields=())


def _targets(reference: Field, keys: Mapping[str, object]) -> tuple[str, ...]:
    """The objects a parent may be of: the one named by `type`, else all that the field allows."""
    named = str(keys.get("type") or "").lower()
    return tuple(each for each in reference.reference_to if not named or each.lower() == named)


def _difference(old: Row, new: Row) -> Row:
    return {name: value for name, value in new.items() if old.get(name, "") != value}


def _duplicate(field: Field, other_id: str) -> ApiError:
    message = f"duplicate value found: {field.name} duplicates value on record with id: {other_id[:15]}"
    return ApiError("DUPLICATE_VALUE", message, fields=())
