"""What django-allauth asks of us about second factors: their secrets are sealed before the database sees them.

Not here: which account demands a factor (factors.py).
"""

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator

from headwater.accounts.crypt import seal_text, unseal_text
from headwater.accounts.models import User


class SealingMFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    def encrypt(self, text: str) -> str:
        return seal_text(text)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal_text(encrypted_text)

    def get_totp_issuer(self) -> str:
        return "Headwater"

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002  (allauth's name)
        held = Authenticator.objects.filter(user=user, type=type).count()
        return f"Passkey {held + 1}"
