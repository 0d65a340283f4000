"""The rows every org has before anybody works in it: its Organization."""

import datetime as dt

from orgsim.clock import datetime_text
from orgsim.store.org import Org
from orgsim.store.rows import Row, insert_row

_TRIAL = dt.timedelta(days=30)


def add_organization_row(org: Org, user_id: str) -> None:
    """What `SELECT … FROM Organization` answers, by which clients tell a sandbox from production (facts A.8)."""
    now = org.now_text()
    trial_ends = datetime_text(org.clock.now() + _TRIAL) if org.setting("is_trial") else None
    row: Row = {
        "Id": org.org_id,
        "Name": str(org.setting("name")),
        "OrganizationType": str(org.setting("edition")),
        "IsSandbox": int(org.is_sandbox),
        "IsReadOnly": 0,
        "InstanceName": "CS420" if org.is_sandbox else "NA420",
        "TrialExpirationDate": trial_ends,
        "TimeZoneSidKey": "GMT",
        "DefaultLocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "FiscalYearStartMonth": 1,
        "UsesStartDateAsFiscalYearName": 0,
        "CreatedDate": now,
        "CreatedById": user_id,
        "LastModifiedDate": now,
        "LastModifiedById": user_id,
        "SystemModstamp": now,
    }
    insert_row(org.database.connect(), org.catalog().get("Organization"), row)
