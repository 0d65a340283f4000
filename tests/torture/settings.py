"""Settings for the jobs room alone. `TORTURE_DATABASE_URL` chooses the database; SQLite as in headwater.settings."""

from environs import Env

DATABASES = {"default": Env().dj_db_url("TORTURE_DATABASE_URL", "sqlite://:memory:")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 30,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["headwater.jobs", "torture"]
SECRET_KEY = "of no use outside these tests"
TIME_ZONE = "UTC"
USE_TZ = True
