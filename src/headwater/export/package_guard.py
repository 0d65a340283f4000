"""Whether the package is in the org: looked at before the first export of a day, and when the org's answers make one
doubt it. A look costs a credit.

Not here: what is looked at (connections/package).
"""

from headwater.accounts.models import Account
from headwater.common.errors import Facts, Fix
from headwater.connections.package import PERMISSION_SET, Comparison, installed_in, why_missing
from headwater.credits.write_prices import Action
from headwater.salesforce.collections import NOT_THERE_CODES
from headwater.salesforce.transport import Transport

# So an org answers for records of an object that the user does not see; INVALID_CROSS_REFERENCE_KEY of an upsert is a
# word about the record it points to.
_DOUBTFUL_CODES = {
    Action.UPSERT: NOT_THERE_CODES,
    Action.DELETE: NOT_THERE_CODES | {"INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID", "INSUFFICIENT_ACCESS_OR_READONLY"},
}


def is_doubtful(action: Action, error_code: str) -> bool:
    return error_code in _DOUBTFUL_CODES[action]


class PackageGuard:
    """Looks at most once, as long as what it sees is complete."""

    def __init__(self, account: Account, transport: Transport) -> None:
        self._account = account
        self._transport = transport
        self._is_complete = False

    def trouble(self) -> Fix | None:
        """What keeps us from writing; asks the org unless it was seen complete before."""
        if not self._is_complete:
            found = installed_in(self._transport, self._account)
            if found.is_ungranted:
                return _not_granted(found)
            if not found.is_complete:
                return _missing(found)
            self._is_complete = True
        return None

    def require(self) -> int:
        """Raises the trouble, if there is one."""
        trouble = self.trouble()
        if trouble is not None:
            raise trouble
        return 1


def _not_granted(found: Comparison) -> Fix:
    return Fix(
        "export.package_not_granted",
        "Headwater's objects are installed, but the connected user may not use them.",
        Facts(
            why=why_missing(found),
            left="No record is lost: what the org has not taken is sent again.",
            you_can=f"assign the permission set {PERMISSION_SET} in Setup > Permission Sets, or install again "
            "(Settings > Salesforce package, headwater package --install), which assigns it",
        ),
    )


def _missing(found: Comparison) -> Fix:
    return Fix(
        "export.package_missing",
        "Headwater's objects are not installed in the org.",
        Facts(
            why=why_missing(found),
            left="No record is lost: what the org has not taken is sent again.",
            you_can="install them in Settings > Salesforce package (headwater package --install)",
        ),
    )
