"""Django settings: the one place that reads the environment.

Every variable is listed in docs/reference/settings.md. A secret may come from a file by adding `_FILE` to its name.
Settings that people change at run time (the API limit, for one) live in the database, not here.
"""

from pathlib import Path

from environs import Env, validate

from headwater.common.secrets_file import read_or_create_secrets

env = Env(prefix="HEADWATER_")


def _secret(name: str) -> str | None:
    """The secret's text, from the variable itself or from the file that `<name>_FILE` points to."""
    path: Path | None = env.path(f"{name}_FILE", None)
    text: str | None = env.str(name, None)
    return path.read_text().strip() if path else text


DATA_DIR: Path = env.path("DATA_DIR", Path("data")).absolute()
DATA_DIR.mkdir(parents=True, exist_ok=True)
SECRETS_FILE = DATA_DIR / "secrets.json"
_generated = read_or_create_secrets(SECRETS_FILE)

DEBUG: bool = env.bool("DEBUG", False)
SECRET_KEY: str = _secret("SECRET_KEY") or _generated.session_key
# Empty where the environment names none: then those of the file are used, as it stands at the moment of use, so that
# `headwater keys --rotate` reaches every running process.
ENCRYPTION_KEYS: list[str] = [key.strip() for key in (_secret("ENCRYPTION_KEYS") or "").split(",") if key.strip()]
BASE_URL: str = env.str("BASE_URL", "http://127.0.0.1:8000")
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS: list[str] = [BASE_URL]

SALESFORCE_LOGIN_URL: str = env.str("SALESFORCE_LOGIN_URL", "https://login.salesforce.com")
SALESFORCE_SANDBOX_LOGIN_URL: str = env.str("SALESFORCE_SANDBOX_LOGIN_URL", "https://test.salesforce.com")
SALESFORCE_CLIENT_ID: str = env.str("SALESFORCE_CLIENT_ID", "")
SALESFORCE_CLIENT_SECRET: str = _secret("SALESFORCE_CLIENT_SECRET") or ""

METRICS_TOKEN: str = _secret("METRICS_TOKEN") or ""  # of /metrics, which is not there without one

# How much is asked for at once. Smaller where the org's answers come slowly, or where memory and disk are short.
QUERY_PAGE_ROWS: int = env.int("QUERY_PAGE_ROWS", 2000, validate=validate.Range(200, 2000))
VANISHED_EVERY_HOURS: int = env.int("VANISHED_EVERY_HOURS", 24, validate=validate.Range(1, 336))
BULK_FILE_BYTES: int = env.int("BULK_FILE_BYTES", 512 * 1024 * 1024, validate=validate.Range(1))

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "headwater.web",  # above allauth, whose templates it replaces
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "headwater.jobs",
    "headwater.accounts",
    "headwater.signin",
    "headwater.notify",
    "headwater.credits",
    "headwater.connections",
    "headwater.sync",
    "headwater.results",
    "headwater.export",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "headwater.web.middleware.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "headwater.web.middleware.AccountMiddleware",
]
ROOT_URLCONF = "headwater.urls"
WSGI_APPLICATION = "headwater.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": env.dj_db_url("DATABASE_URL", f"sqlite:///{DATA_DIR / 'headwater.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets pages read while a worker writes; IMMEDIATE takes the write lock at BEGIN, so no upgrade can deadlock.
    # FULL has each commit on disk: a reservation that a power cut takes back is a credit that nobody knows of.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 30,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTH_USER_MODEL = "accounts.User"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
# A log-in needs a verified address: accounts.services marks those that an operator named or an invitation reached,
# and a new address counts once its mail was answered.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CHANGE_EMAIL = True  # one address a person; another takes its place once verified
ACCOUNT_EMAIL_NOTIFICATIONS = True  # a changed password or address is told to its owner
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # before the address is changed
ACCOUNT_ADAPTER = "headwater.web.login.ClosedSignupAdapter"

# The second factor. A code counts in its own half minute only, as allauth remembers a used code no longer than that.
MFA_ADAPTER = "headwater.signin.adapter.SealingMFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
# Browsers give passkeys to https, and to the name localhost for whoever tries Headwater on their own machine.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not BASE_URL.startswith("https://")
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_SECURE = BASE_URL.startswith("https://")
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE

# Without a mail server, mails (invitations, password resets) are written to the log of `headwater serve`.
_mail = env.dj_email_url("EMAIL_URL", "console:")
_is_logged = _mail["EMAIL_BACKEND"] == "django.core.mail.backends.console.EmailBackend"
EMAIL_BACKEND: str = "headwater.accounts.mail.LogEmailBackend" if _is_logged else _mail["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"], _mail["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"], _mail["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail["EMAIL_USE_TLS"], _mail["EMAIL_USE_SSL"]
DEFAULT_FROM_EMAIL: str = env.str("FROM_EMAIL", "headwater@localhost")

# In files, because all web processes must count the same failed log-ins.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(DATA_DIR / "cache")}
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    # Django's own handlers would be silent outside debug: an error of a page belongs into the log.
    "loggers": {"django": {"handlers": [], "level": "INFO", "propagate": True}},
}

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
USE_THOUSAND_SEPARATOR = True
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
