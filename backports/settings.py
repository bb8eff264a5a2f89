"""Django settings. Everything that differs between places is an environment variable, read through `env`."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF
from kombu import Queue

from backports import env, oidc
from backports.mail.server import mail_server
from backports.runtime import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA", str(BASE_DIR / "var"))).resolve()


def _kept_secret() -> str:
    """SECRET_KEY, or one made on first use and kept in the data folder, readable by its owner only."""
    given = env.text("SECRET_KEY")
    if given:
        return given
    path = embedded.prepare_base(DATA_DIR) / "secret-key"
    if not path.exists():
        fresh = path.with_name(f"secret-key.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(50))
        # Two processes may be the first: the one that links first has made the key for both.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)
        fresh.unlink()
    return path.read_text()


SECRET_KEY = _kept_secret()
DEBUG = env.flag("DEBUG")
PRODUCTION = env.flag("PRODUCTION")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "xsa.apps.XsaConfig",
    "backports.apps.BackportsConfig",
]

MIDDLEWARE = [
    "backports.web.headers.EveryAnswer",
    "backports.web.proxies.TrustedProxies",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "backports.web.headers.OwnForms",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "backports.web.asking.WhoAsks",
    "backports.web.middleware.ReadAsYourself",
    "backports.api.rates.Rates",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "backports.web.middleware.NoStore",
]

ROOT_URLCONF = "backports.urls"
WSGI_APPLICATION = "backports.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["django.contrib.humanize.templatetags.humanize", "backports.web.templatetags.house"],
            "libraries": {},
        },
    }
]

# -- database: an external server when DATABASE_URL names one, else the embedded one in the data folder -----------
DATABASE_URL = env.text("DATABASE_URL")
EMBEDDED_DATABASE = not DATABASE_URL


_ENGINE = {"ENGINE": "xsa.backend"}


def _database(url: str, role: str) -> dict[str, object]:
    if url:
        return {**dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True), **_ENGINE}
    return {
        **_ENGINE,
        "NAME": "backports",
        "USER": role,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        **embedded.connection(DATA_DIR),
    }


DATABASES = {
    # Every answer is one transaction, which knows its reader: see xsa.identity.
    "default": {**_database(DATABASE_URL, "backports_app"), "ATOMIC_REQUESTS": True},
    "owner": _database(env.text("DATABASE_OWNER_URL"), "backports_owner")
    if EMBEDDED_DATABASE or env.text("DATABASE_OWNER_URL")
    else _database(DATABASE_URL, ""),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- accounts -----------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "xsa.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "matrix"
LOGOUT_REDIRECT_URL = "matrix"
AUTHENTICATION_BACKENDS = ["xsa.authentication.Passwords"]
SESSION_ENGINE = "xsa.sessions"
# A session ends with the browser, and here after three days in which nothing was done with it.
SESSION_COOKIE_AGE = 3 * 24 * 3600
# What all processes must count together: failed logins, and codes that were used.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "xsa_cache",
        # Never so full that a count of failed logins is dropped for another one.
        "OPTIONS": {"MAX_ENTRIES": 1_000_000},
    }
}
# Addresses, or networks, of proxies whose X-Forwarded-* headers are believed; everybody else's are dropped.
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
# How the links in mails begin; never taken from a request, whose Host header anybody can write.
PUBLIC_URL = env.text("PUBLIC_URL", f"http://127.0.0.1:{env.number('PORT', 8000)}").rstrip("/")
# How long a second factor is fresh enough, in seconds, for downloads of what is embargoed and for disclosure.
FRESH_FACTOR_SECONDS = 12 * 3600
# How long a mailed link to choose a new password works, in seconds.
PASSWORD_RESET_TIMEOUT = 4 * 3600

ACCOUNT_ADAPTER = "backports.web.account_rules.AccountRules"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_FORMS = {
    "login": "backports.web.account_forms.LogIn",
    "reset_password": "backports.web.account_forms.AskForPassword",
    "reset_password_from_key": "backports.web.account_forms.ChoosePassword",
    "change_password": "backports.web.account_forms.ChangePassword",
}
# Failed logins: ten a minute from an address, five in five minutes for a name, whether there is one or not.
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/300s/key", "login": "30/m/ip", "signup": "20/m/ip"}
MFA_ADAPTER = "backports.web.account_rules.FactorRules"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Xen backports"
MFA_TOTP_TOLERANCE = 1
# Browsers offer passkeys without TLS on this machine alone, where the server has no certificate.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
MFA_FORMS = {
    "authenticate": "backports.web.account_forms.Code",
    "reauthenticate": "backports.web.account_forms.CodeAgain",
    "activate_totp": "backports.web.account_forms.FirstCode",
}
SOCIALACCOUNT_ADAPTER = "backports.web.account_rules.OrganisationLogins"
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_STORE_TOKENS = False
OPENID_CONNECT_URL_PREFIX = ""
# Organisations' own logins: {"<name in addresses>": {"organisation": …, "server": …, "client_id": …, …}}.
OIDC_PROVIDERS = env.tables(
    "OIDC_PROVIDERS",
    {"organisation": str, "server": str, "client_id": str, "secret_file": str, "form_hosts": list},
    needed="organisation",
)
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": oidc.applications(OIDC_PROVIDERS)}}
USERSESSIONS_TRACK_ACTIVITY = False

# -- REST ----------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    # Whatever is not made of backports.api.base.Endpoint is denied to everybody.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["backports.api.denial.Nobody"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "backports.api.problems.handle",
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Xen backports",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "DESCRIPTION": "Advisories, what the ladder made of them on every branch, and members' backports.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    # An answer of some fields (`?fields=`) holds those alone.
    "COMPONENT_NO_READ_ONLY_REQUIRED": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "AttemptStateEnum": "backports.models.Attempt.State",
        "CheckStateEnum": "backports.models.Check.State",
        "CommentKindEnum": "backports.models.Comment.Kind",
        "EventKindEnum": "backports.services.events.KINDS",
        "FileKindEnum": "xsa.models.PatchFile.Kind",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "backports.api.schema.as_one_reads",
    ],
}
# Requests a minute of one token, person or address: readings, and all that changes something.
API_RATES = {"read": env.number("API_READS", 600), "change": env.number("API_CHANGES", 120)}

# -- mail: files in the data folder, or the server that EMAIL_URL names --------------------------------------------
EMAIL_URL = env.text("EMAIL_URL")
EMAIL_FILE_PATH = str(DATA_DIR / "mail")
DEFAULT_FROM_EMAIL = env.text("MAIL_FROM", "Xen backports <backports@localhost>")
EMAIL_TIMEOUT = 20
# Where servers tell of mail that they could not deliver: before the @ come the mail's id and a proof that it is ours.
MAIL_BOUNCES = env.text("MAIL_BOUNCES")
# The private list; with a key of its own (a file, and its full fingerprint) it gets one digest, encrypted to that.
# Without one, each listed organisation gets the list's digest at its role address, encrypted to its own key.
MAIL_LIST = env.text("MAIL_LIST")
MAIL_LIST_KEY = env.text("MAIL_LIST_KEY")
MAIL_LIST_FINGERPRINT = env.text("MAIL_LIST_FINGERPRINT").replace(" ", "").upper()
# The room's secret OpenPGP key, made by `manage.py room_key`; never in the database.
ROOM_KEY = Path(env.text("ROOM_KEY", str(DATA_DIR / "room-key.asc")))
# Further addresses that mail to the room comes to; what is from one of them is a loop.
ROOM_ADDRESSES = env.words("ROOM_ADDRESSES")
# Where mail is fetched from: imaps://user:password@host/INBOX; "" for nowhere.
MAIL_IMAP_URL = env.text("MAIL_IMAP_URL")
MAIL_IMAP_EVERY = env.number("MAIL_IMAP_EVERY", 60)
# A file of the authorities that its certificate is checked against; "" for those that the system trusts.
MAIL_IMAP_CA = env.text("MAIL_IMAP_CA")
if EMAIL_URL:
    vars().update(mail_server(EMAIL_URL))
else:
    EMAIL_BACKEND = "backports.mail.files.EmailBackend"

# -- headers ------------------------------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
# Browsers then send "Origin: null" with forms: see backports.web.headers.OwnForms.
SECURE_REFERRER_POLICY = "no-referrer"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Not in a cookie: what a message says is kept with the session.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        # Logging in at an organisation's own server begins with a form here.
        "form-action": [SELF, *oidc.form_hosts(OIDC_PROVIDERS)],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
if PRODUCTION:
    SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = 31536000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_SECURE = True
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
    if env.flag("BEHIND_TLS_PROXY"):
        if not TRUSTED_PROXIES:
            raise env.BadSetting("BEHIND_TLS_PROXY needs TRUSTED_PROXIES: the addresses that the proxy connects from.")
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# -- files ---------------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(DATA_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
GIT_ROOT = DATA_DIR / "git"
ORGANISATION_GIT = env.text("ORGANISATION_GIT")  # a folder by organisation id, with repositories to take from
ADVISORY_KEYS = [Path(path) for path in env.words("ADVISORY_KEYS")]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

# -- Celery: Redis or RabbitMQ when BROKER_URL names one, else files in the data folder ----------------------------
BROKER_URL = env.text("BROKER_URL")
CELERY_BROKER_URL = BROKER_URL or "filesystem://localhost"
_QUEUE_DIR = DATA_DIR / "queue"
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"visibility_timeout": 600}
    if BROKER_URL
    else {
        "data_folder_in": str(_QUEUE_DIR / "messages"),
        "data_folder_out": str(_QUEUE_DIR / "messages"),
        "control_folder": str(_QUEUE_DIR / "control"),
        # With the default of one second the transport takes five tasks a second; with this, hundreds.
        "polling_interval": 0.02,
    }
)
if not BROKER_URL:
    CELERY_BROKER_TRANSPORT = "backports.runtime.folder_queue:Transport"
    for _folder in ("messages", "control"):
        (_QUEUE_DIR / _folder).mkdir(parents=True, exist_ok=True, mode=0o700)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Attempts by the thousand go through the first queue; what a person or the clock waits for through the second.
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_TASK_QUEUES = [Queue("celery"), Queue("soon")]
CELERY_TASK_ROUTES = {
    "backports.disclose_due": {"queue": "soon"},
    "backports.fetch_repositories": {"queue": "soon"},
    "backports.replan_disclosed": {"queue": "soon"},
    "backports.refresh_repository": {"queue": "soon"},
    "backports.sweep_attempts": {"queue": "soon"},
    "backports.sweep_compilations": {"queue": "soon"},
    "backports.clear_expired": {"queue": "soon"},
    "backports.handle_mail": {"queue": "soon"},
    "backports.sweep_mail": {"queue": "soon"},
    "backports.poll_mail": {"queue": "soon"},
    "backports.mail_invitation": {"queue": "soon"},
    "backports.mail_password_reset": {"queue": "soon"},
    "backports.make_digests": {"queue": "soon"},
    "backports.send_outbox": {"queue": "soon"},
    "backports.send_batch": {"queue": "soon"},
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 450_000  # kilobytes
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
FETCH_EVERY = env.number("FETCH_EVERY", 900)
ATTEMPT_LEASE = env.number("ATTEMPT_LEASE", 120)
# A message this old, in seconds, may have died with a worker that had taken it: its attempt is sent again.
RESEND_AFTER = env.number("RESEND_AFTER", 300)
SWEEP_EVERY = env.number("SWEEP_EVERY", 10)
# Seconds for each of three searches that explain a stuck attempt: commits, a set of them, parts to leave out.
EXPLAIN_SECONDS = env.number("EXPLAIN_SECONDS", 4)
# Which command compiles which branch: {"<repository>/<branch>", with * ? [] as in file names: {"command": …}}.
COMPILE_COMMANDS = env.tables(
    "COMPILE_COMMANDS", {"command": str, "seconds": int, "memory_mb": int, "paths": list}, needed="command"
)
COMPILE_SCRATCH = DATA_DIR / "compile"
# Networks inside to which webhooks may go too, by commas; nothing else inside is ever asked.
WEBHOOK_NETWORKS = env.networks("WEBHOOK_NETWORKS")
# Seconds between two looks for advisories whose planned disclosure has come.
DISCLOSE_EVERY = env.number("DISCLOSE_EVERY", 30)
CELERY_BEAT_SCHEDULE = {
    # One that nobody took in time is of no use: the next is on its way.
    "disclose-due": {
        "task": "backports.disclose_due",
        "schedule": DISCLOSE_EVERY,
        "options": {"expires": 10 * DISCLOSE_EVERY},
    },
    "fetch-repositories": {"task": "backports.fetch_repositories", "schedule": FETCH_EVERY},
    "sweep-attempts": {"task": "backports.sweep_attempts", "schedule": SWEEP_EVERY},
    "send-webhooks": {"task": "backports.send_webhooks", "schedule": 10, "options": {"expires": 60}},
    "end-claims": {"task": "backports.end_claims", "schedule": 60, "options": {"expires": 600}},
    "sweep-mail": {"task": "backports.sweep_mail", "schedule": 60, "options": {"expires": 600}},
    "make-digests": {"task": "backports.make_digests", "schedule": 20, "options": {"expires": 60}},
    "send-outbox": {"task": "backports.send_outbox", "schedule": 10, "options": {"expires": 60}},
    "check-keys": {"task": "backports.check_keys", "schedule": 6 * 3600},
    "clear-expired": {"task": "backports.clear_expired", "schedule": 3600},
    "scheduler-heartbeat": {"task": "backports.scheduler_heartbeat", "schedule": 5},
}
if MAIL_IMAP_URL:
    CELERY_BEAT_SCHEDULE["poll-mail"] = {
        "task": "backports.poll_mail",
        "schedule": MAIL_IMAP_EVERY,
        "options": {"expires": MAIL_IMAP_EVERY},
    }
if COMPILE_COMMANDS:
    CELERY_BEAT_SCHEDULE["sweep-compilations"] = {"task": "backports.sweep_compilations", "schedule": 30}

# -- logs: ids, counts and codes only -------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "backports.logs.Line", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {
        # Named by themselves, since Celery puts its own level on the root of its workers.
        "backports": {"level": env.text("LOG_LEVEL", "INFO")},
        "xsa": {"level": env.text("LOG_LEVEL", "INFO")},
        "celery.app.trace": {"level": "WARNING"},
        # aiosmtpd tells whole dialogues, with addresses.
        "mail.log": {"level": "CRITICAL"},
        # python-gnupg tells whole keys, the room's secret one too.
        "gnupg": {"level": "CRITICAL"},
        "celery.worker.strategy": {"level": "WARNING"},
    },
}
