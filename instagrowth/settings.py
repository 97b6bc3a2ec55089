"""All settings, by concern, from the environment. A missing or weak secret stops the start with one sentence."""

import base64
import binascii
import logging
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from errors.logs import logging_config
from instagrowth import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / ".data"))).absolute()
# Beside a running `make run`, commands find its servers and secrets by themselves.
for _name, _value in (embedded.running(DATA_DIR) or {}).items():
    env.ENVIRON.setdefault(_name, _value)

# ── Secrets ─────────────────────────────────────────────────────────────────────────────────────────────────────────
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5:
    raise ImproperlyConfigured("SECRET_KEY must be set to at least 50 random characters (or start with `make run`).")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])


def _vault_keys(text: str) -> list[tuple[int, bytes]]:
    """`kid:base64,kid:base64`, newest first: number and 32 bytes of each vault key."""
    try:
        keys = [
            (int(kid), base64.b64decode(key, validate=True))
            for kid, key in (part.split(":") for part in text.split(","))
        ]
    except (ValueError, binascii.Error):
        keys = []
    if not keys or any(len(key) != 32 or not 0 < kid < 65536 for kid, key in keys):
        raise ImproperlyConfigured(
            "VAULT_KEYS must be `number:base64 of 32 random bytes`, newest first, separated by commas."
        )
    return keys


VAULT_KEYS = _vault_keys(env.str("VAULT_KEYS", default=""))

# ── Where we are reached ────────────────────────────────────────────────────────────────────────────────────────────
SITE_URL = env.str("SITE_URL", default="http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = [SITE_URL]
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
SECURE = SITE_URL.startswith("https://")
if SECURE:
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
STAFF_COOKIE_NAME = "__Host-staff" if SECURE else "staff"  # under /admin/: staff and members never share a session
VISIT_COOKIE_NAME = "__Host-visit" if SECURE else "visit"  # of staff who look at the members' side as a member
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "connect-src": [SELF, SITE_URL.replace("http", "ws", 1)],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

# ── The parts ───────────────────────────────────────────────────────────────────────────────────────────────────────
INSTALLED_APPS = [
    "errors",
    "accounts",
    "billing",
    "bots",
    "content",
    "adminpanel",
    "instagrowth",
    "unfold.apps.BasicAppConfig",  # the plain config would put a site of its own in place of ours
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "adminpanel.apps.ControlRoomConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "anymail",
    "channels",
    "csp",
    "django_htmx",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "instagrowth.metrics.TimingMiddleware",
    "errors.middleware.CorrelationMiddleware",
    "csp.middleware.CSPMiddleware",
    "instagrowth.bodies.SmallBodyMiddleware",
    "adminpanel.middleware.StaffCookieMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "instagrowth.paths.SlashMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "errors.middleware.ErrorMiddleware",
    "adminpanel.middleware.ControlRoomMiddleware",
    "adminpanel.middleware.VisitMiddleware",
    "accounts.middleware.MaintenanceMiddleware",
    "accounts.middleware.TenancyMiddleware",
    "accounts.middleware.MustChangePasswordMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
]
ROOT_URLCONF = "instagrowth.urls"
ASGI_APPLICATION = "instagrowth.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "bots.context.shell",
            ],
        },
    },
]

# ── PostgreSQL and Valkey ───────────────────────────────────────────────────────────────────────────────────────────
PROCESS = env.str("INSTAGROWTH_PROCESS", default="command")  # web, worker, beat or command
if not env.str("DATABASE_URL", default=""):
    raise ImproperlyConfigured("There is no database: start `make run` (it brings its own), or set DATABASE_URL.")
if not env.str("REDIS_URL", default=""):
    raise ImproperlyConfigured("There is no Redis or Valkey: start `make run` (it brings its own), or set REDIS_URL.")
_database = env.db_url("DATABASE_URL")
DATABASES = {
    "default": {
        **_database,
        "ENGINE": "django.db.backends.postgresql",
        "ATOMIC_REQUESTS": True,
        "OPTIONS": {
            **_database.get("OPTIONS", {}),  # ?host=/socket, ?sslmode=…
            "connect_timeout": 5,
            "application_name": f"instagrowth-{PROCESS}",
            "options": "-c lock_timeout=3s -c idle_in_transaction_session_timeout=30s "
            f"-c statement_timeout={'5s' if PROCESS == 'web' else '60s'}",
        },
    }
}
if PROCESS == "web":
    # Under ASGI each request has a thread: without a pool, 200 slow requests open 200 connections.
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 8, "timeout": 3, "max_waiting": 200}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 600
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.str("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
        "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 2, "SOCKET_TIMEOUT": 2},
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # Pub/sub ignores the number of the Redis database: it goes into the prefix.
        "CONFIG": {"hosts": [REDIS_URL], "prefix": f"live:{REDIS_URL.rsplit('/', 1)[-1]}"},
    }
}

# ── Celery: messages are hints, PostgreSQL is the truth ─────────────────────────────────────────────────────────────
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "global_keyprefix": "celery:",
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
    "retry_policy": {"timeout": 2.0, "max_retries": 1},
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None  # nothing is kept: else Celery's own beat asks at four each morning to clean it up
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_DEFAULT_QUEUE = "starter"
CELERY_TASK_SOFT_TIME_LIMIT = 60  # soft < hard < lease (90) < visibility timeout: RELIABILITY 5.5
CELERY_TASK_TIME_LIMIT = 75
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 2000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_DB_REUSE_MAX = 1000  # Celery closes the connection after every task unless told otherwise
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.2}

# ── Signing in ──────────────────────────────────────────────────────────────────────────────────────────────────────
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "django.contrib.auth.hashers.BCryptPasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "name"]},
    },
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "bots:dashboard"
LOGOUT_REDIRECT_URL = "account_login"
SESSION_COOKIE_AGE = 14 * 24 * 3600
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "access_code"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"  # else a taken address would have to be told
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True  # only in the browser that signed up
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {
    "login": "accounts.forms.LoginForm",
    "signup": "accounts.entrance_forms.SignUpForm",
    "add_email": "accounts.entrance_forms.AddEmailForm",
    "change_password": "accounts.entrance_forms.ChangePasswordForm",
    "reset_password": "accounts.entrance_forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.entrance_forms.NewPasswordForm",
    "user_token": "accounts.entrance_forms.ResetLinkForm",
}
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # to change where links and warnings go
ACCOUNT_RATE_LIMITS = False  # allauth's own are not atomic: accounts.limits counts, on every door alike
PASSWORD_RESET_TIMEOUT = 3600
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "accounts.link_tokens.LinkTokens"  # noqa: S105  (a class, not a secret)
MFA_ADAPTER = "accounts.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG
MFA_ALLOW_UNVERIFIED_EMAIL = True  # nobody signs in before the first is confirmed; a second may wait
MFA_TRUST_ENABLED = False  # the second factor is asked for at each sign-in
MFA_RATE_LIMITS = False  # as above
MFA_FORMS = {
    "authenticate": "accounts.factor_forms.AuthenticateForm",
    "reauthenticate": "accounts.factor_forms.ReauthenticateForm",
    "add_webauthn": "accounts.factor_forms.AddWebAuthnForm",
    "authenticate_webauthn": "accounts.factor_forms.AuthenticateWebAuthnForm",
    "login_webauthn": "accounts.factor_forms.LoginWebAuthnForm",
    "reauthenticate_webauthn": "accounts.factor_forms.ReauthenticateWebAuthnForm",
}
MFA_TOTP_ISSUER = OTP_TOTP_ISSUER = "InstaGrowth OS"
SOCIALACCOUNT_ADAPTER = "accounts.adapters.GoogleAdapter"
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_STORE_TOKENS = False  # we want to know who you are, nothing else
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False  # never linked by mail alone
SOCIALACCOUNT_REAUTHENTICATION_REQUIRED = True  # to link and to unlink
SOCIALACCOUNT_REQUESTS_TIMEOUT = (3, 5)  # seconds to connect and to answer: somebody waits for the page
SOCIALACCOUNT_FORMS = {"disconnect": "accounts.forms.UnlinkForm"}
SOCIALACCOUNT_OPENID_CONNECT_URL_PREFIX = "oidc"
GOOGLE_CLIENT_ID = env.str("GOOGLE_CLIENT_ID", default="")
GOOGLE_SERVER_URL = env.str("GOOGLE_SERVER_URL", default="").rstrip("/") or "https://accounts.google.com"


def google_provider(server_url: str, client_id: str, secret: str) -> dict[str, Any]:
    """The OpenID Connect issuer that plays Google; the sign-in page says "Sandbox" where it is not Google itself."""
    app = {
        "provider_id": "google",
        "name": "Google",
        "client_id": client_id,
        "secret": secret,
        "settings": {"server_url": server_url, "sandbox": not server_url.startswith("https://accounts.google.com")},
    }
    # Always the page that asks: nobody lands in an account of a Google session they forgot.
    return {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "AUTH_PARAMS": {"prompt": "select_account"}, "APPS": [app]}}


SOCIALACCOUNT_PROVIDERS = {}  # without keys there is no button
if GOOGLE_CLIENT_ID:
    SOCIALACCOUNT_PROVIDERS = google_provider(
        GOOGLE_SERVER_URL, GOOGLE_CLIENT_ID, env.str("GOOGLE_CLIENT_SECRET", default="")
    )
    # The form on our page ends, redirected, at Google's.
    CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"].append(
        "{0.scheme}://{0.netloc}".format(urlsplit(GOOGLE_SERVER_URL))
    )
KNOX_TOKEN_MODEL = "accounts.ApiToken"  # noqa: S105  (a model, not a secret)
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_TTL": None}

# ── The API ─────────────────────────────────────────────────────────────────────────────────────────────────────────
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api_auth.BearerToken", "accounts.api_auth.SessionCookie"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api_auth.IsMember"],
    "DEFAULT_RENDERER_CLASSES": ["accounts.api_auth.CorrelatedJSON"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "accounts.api_auth.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api_auth.PersonThrottle", "accounts.api_auth.VisitorThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": "600/min", "anon": "60/min"},
    "EXCEPTION_HANDLER": "errors.api.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "InstaGrowth OS",
    "DESCRIPTION": "Every door of the product for programs. Each answer carries `correlation_id`; each error its code.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},  # no outsider is asked
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "accounts.api_contract.add_correlation_id",
    ],
    "ENUM_NAME_OVERRIDES": {
        "PersonRole": "accounts.models.User.Role",
        "PlaceRole": "accounts.models.Membership.Role",
        "SessionStatus": "bots.models.Session.Status",
        "ApiPairStatus": "bots.models.ApiPair.Status",
        "BotStatus": "bots.models.Bot.Status",
        "TaskStatus": "bots.models.BotTask.Status",
        "TaskKind": "bots.models.Kind",
        "PostKind": "content.models.Post.Kind",
        "PostState": "content.models.Post.State",
        "MediaKind": "content.models.Media.Kind",
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = (
    8 * 1024 * 1024
)  # no less than most bodies may have: of what is uploaded only videos touch the disk

# ── Outside services: unset means the real one; `make run` points those without a key at the sandbox ─────────────────
INSTAGRAM_PRIVATE_URL = env.str("INSTAGRAM_PRIVATE_URL", default="").rstrip("/")
INSTAGRAM_GRAPH_URL = env.str("INSTAGRAM_GRAPH_URL", default="").rstrip("/")
GRAPH_API_VERSION = env.str("GRAPH_API_VERSION", default="") or "v25.0"
META_APP_ID = env.str("META_APP_ID", default="")
META_APP_SECRET = env.str("META_APP_SECRET", default="")
META_WEBHOOK_VERIFY_TOKEN = env.str("META_WEBHOOK_VERIFY_TOKEN", default="")
# The forms that connect an account end, redirected, on Meta's pages.
CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"] += (
    [INSTAGRAM_GRAPH_URL] if INSTAGRAM_GRAPH_URL else ["https://www.instagram.com", "https://www.facebook.com"]
)
STRIPE_API_URL = env.str("STRIPE_API_URL", default="").rstrip("/")
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
STRIPE_TAX = env.bool("STRIPE_TAX", default=False)  # Stripe Tax must be set up in Stripe's own settings first
if STRIPE_SECRET_KEY and not STRIPE_WEBHOOK_SECRET:
    raise ImproperlyConfigured(
        "STRIPE_WEBHOOK_SECRET must be set beside STRIPE_SECRET_KEY: what Stripe tells is signed."
    )
# The forms of the billing page end, redirected, on Stripe's pages.
CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"] += (
    [STRIPE_API_URL] if STRIPE_API_URL else ["https://checkout.stripe.com", "https://billing.stripe.com"]
)
OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="").rstrip("/")
OPENAI_MODEL = env.str("OPENAI_MODEL", default="") or "gpt-4o"
AI_BUDGET_CENTS = env.int("AI_BUDGET_CENTS", default=5000)  # US cents that AI may cost one workspace a month, at most
ALERT_WEBHOOK_URL = env.str("ALERT_WEBHOOK_URL", default="")
ALERT_EMAILS = env.list("ALERT_EMAILS", default=[])
SENTRY_DSN = env.str("SENTRY_DSN", default="")
ALERT_WEBHOOK_SECRET = env.str("ALERT_WEBHOOK_SECRET", default="")
ACTIVITY_KEPT_MONTHS = env.int("ACTIVITY_KEPT_MONTHS", default=24)  # of the activity log, whole months; 0 for ever
if ACTIVITY_KEPT_MONTHS < 0:
    raise ImproperlyConfigured("ACTIVITY_KEPT_MONTHS counts months: 0 keeps the activity log for ever.")
# Whether errors.outbound may also post to http on this machine: to try webhooks out, never in production.
OUTBOUND_LOOPBACK = env.bool("OUTBOUND_LOOPBACK", default=False)
if OUTBOUND_LOOPBACK and not DEBUG:
    raise ImproperlyConfigured("OUTBOUND_LOOPBACK is for development: unset it.")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="InstaGrowth OS <noreply@localhost>")
# Everything a page or a library mails goes into the outbox; this is what a worker sends it by.
EMAIL_BACKEND = "accounts.mails.Outbox"
if RESEND_API_KEY := env.str("RESEND_API_KEY", default=""):
    MAIL_BACKEND = "anymail.backends.resend.EmailBackend"
    ANYMAIL = {
        "RESEND_API_KEY": RESEND_API_KEY,
        "RESEND_API_URL": env.str("RESEND_API_URL", default="") or "https://api.resend.com/",
        "REQUESTS_TIMEOUT": 20,  # seconds; the outbox tries again
    }
elif DEBUG and not env.str("EMAIL_URL", default=""):
    MAIL_BACKEND = "accounts.mails.Catcher"
else:
    _mail = env.email_url("EMAIL_URL", default="smtp://localhost:25")
    MAIL_BACKEND = _mail.pop("EMAIL_BACKEND")
    vars().update({name: value for name, value in _mail.items() if name.startswith("EMAIL_")})
EMAIL_TIMEOUT = 20  # seconds; the outbox tries again
METRICS_ALLOWED_NETWORKS = env.list("METRICS_ALLOWED_NETWORKS", default=["127.0.0.0/8", "::1/128"])
ADMIN_ALLOWED_NETWORKS = env.list("ADMIN_ALLOWED_NETWORKS", default=[])

# ── The control room's look: the tokens of the members' pages, in unfold's words ────────────────────────────────────
UNFOLD = {
    "SITE_TITLE": "InstaGrowth OS",
    "SITE_HEADER": "InstaGrowth OS",
    "SITE_SUBHEADER": "Control room",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("icons/mark.svg")}],
    "SITE_ICON": lambda _: static("icons/mark.svg"),
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "GLOBAL_CALLBACK": "adminpanel.navigation.everywhere",
    "ENVIRONMENT": "adminpanel.navigation.environment",
    "STYLES": [lambda _: static("control-room.css")],
    "SCRIPTS": [lambda _: static("js/control-room.js"), lambda _: static("js/control-room-live.js"),
                lambda _: static("js/control-room-deeds.js")],
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "base": {
            "50": "#f7fafa", "100": "#eff3f3", "200": "#e0e5e6", "300": "#c2c9ca", "400": "#9aa3a6", "500": "#60696d",
            "600": "#495357", "700": "#363f41", "800": "#212729", "900": "#101416", "950": "#0a0e0f",
        },
        "primary": {
            "50": "#e3f6f5", "100": "#c9eeec", "200": "#9fe3df", "300": "#7cdfd9", "400": "#5bdad2", "500": "#37bdb8",
            "600": "#006d72", "700": "#005a5f", "800": "#06484c", "900": "#083a3d", "950": "#082729",
        },
    },
    "SIDEBAR": {"show_search": True, "navigation": "adminpanel.navigation.sidebar"},
    "COMMAND": {"search_models": False},
}  # fmt: skip

# ── Files, words, time, logs ────────────────────────────────────────────────────────────────────────────────────────
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {  # private: nothing in it has an address; a view answers with it or nobody does
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "files", "base_url": None, "file_permissions_mode": 0o600},
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or "test" in sys.argv[0]
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
LANGUAGE_CODE = "en"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
FORMAT_MODULE_PATH = "instagrowth.formats"
LOGGING_CONFIG = None
# A command's own output, often JSON, has standard output for itself.
logging_config(env.str("LOG_LEVEL", default="INFO"), "stderr" if PROCESS == "command" else "stdout")
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # it believes X-Forwarded-For from anybody
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = logging.INFO
# Exceptions come up through the middlewares, undo the transaction on their way, and are answered by errors.middleware.
DEBUG_PROPAGATE_EXCEPTIONS = True
CSRF_FAILURE_VIEW = "errors.views.csrf_failure"
