"""An account, its admin with a second factor, and people beside them."""

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP

from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import add_member, create_account, create_user

PASSWORD = "three quiet rivers"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def give_factor(user: User) -> None:
    TOTP.activate(user, SECRET)
    RecoveryCodes.activate(user)


@pytest.fixture
def alder(db: None) -> Account:
    return create_account("Alder & Finch")


@pytest.fixture
def alice(alder: Account) -> User:
    user = create_user("alice@alderfinch.example", PASSWORD, "Alice Larsson")
    add_member(alder, user, Role.ADMIN)
    return user


@pytest.fixture
def bob(alder: Account) -> User:
    user = create_user("bob@alderfinch.example", PASSWORD, "Bob Berg")
    add_member(alder, user, Role.STANDARD)
    return user
