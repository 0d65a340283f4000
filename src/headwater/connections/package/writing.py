"""Whether anything may be written to the account's org at all: an account can choose to be read only (packageless).

Not here: whether the package is there (state.py); without it nothing is written either.
"""

from django.db import transaction

from headwater.accounts.models import Account
from headwater.accounts.services import record_event
from headwater.common.errors import Facts, Fix
from headwater.connections.models import WritingChoice

CHOOSING = "package.writing"
READ_ONLY, WRITE_BACK = "Read only", "Write back"


def is_read_only(account: Account) -> bool:
    return WritingChoice.of(account).filter(is_read_only=True).exists()


@transaction.atomic
def choose_read_only(account: Account, *, read_only: bool, actor: str) -> bool:
    """Returns whether that changed anything. What was written before stays in the org either way."""
    Account.objects.select_for_update().get(pk=account.pk)
    before = is_read_only(account)
    if before == read_only:
        return False
    WritingChoice.of(account).update_or_create(account=account, defaults={"is_read_only": read_only})
    record_event(account, actor=actor, action=CHOOSING, before=_word(before), after=_word(read_only))
    return True


def require_writing(account: Account) -> None:
    """Raises Fix where the account is read only."""
    if is_read_only(account):
        raise Fix(
            "connections.read_only",
            "This account is read only: Headwater never writes to its org.",
            Facts(
                why="An Account Admin chose so on Settings > Salesforce package.",
                left="Nothing was sent to the org.",
                you_can="choose “Write back” there (headwater package --write-back), if touchpoints should stand in "
                "Salesforce",
            ),
        )


def _word(read_only: bool) -> str:
    return READ_ONLY if read_only else WRITE_BACK
