"""Django's settings. What an operator may change comes from ``environment``; the rest is decided here."""

from importlib.metadata import entry_points
from pathlib import Path

from regulars.config import environment, logs
from regulars.config.databases import database_settings
from regulars.config.mail import mail_settings, parse_duration
from regulars.config.modules import MODULES

HOME: Path = environment.home()
DEBUG = environment.read_switch("REGULARS_DEBUG")
SECURE = environment.read_switch("REGULARS_SECURE")
SECRET_KEY = environment.read("REGULARS_SECRET_KEY")
MASTER_KEYS = environment.read("REGULARS_MASTER_KEYS")
METRICS_TOKEN = environment.read("REGULARS_METRICS_TOKEN")
ALLOWED_HOSTS = environment.read_list("REGULARS_ALLOWED_HOSTS")
PUBLIC_URL = environment.read("REGULARS_PUBLIC_URL") or f"http://localhost:{environment.read('PORT')}"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
REACHABLE = environment.read_list("REGULARS_REACHABLE")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django_htmx",
    "ninja",
    "procrastinate.contrib.django",
    "regulars.config",
    *MODULES,
    *[point.value for point in entry_points(group="regulars.modules")],
]

MIDDLEWARE = [
    "regulars.foundation.health.middleware.Measured",
    "regulars.foundation.health.middleware.DatabaseAway",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # its answers are padded, and form tokens masked, against BREACH
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "regulars.foundation.access.middleware.SessionLimits",
    "regulars.foundation.access.middleware.Gate",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "regulars.foundation.pages.middleware.Reader",
    "regulars.foundation.learning.Learnt",
]

STRAIGHT_PATHS = ("/v1/", "/hooks/")  # where programs send to: past all of these, see foundation/inbox/straight.py

ROOT_URLCONF = "regulars.config.urls"
WSGI_APPLICATION = "regulars.config.wsgi.application"
DATABASES = {"default": database_settings()}
_MAIL = mail_settings()
EMAIL_BACKEND = _MAIL.backend
EMAIL_HOST, EMAIL_PORT = _MAIL.host, _MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL.user, _MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.starts_tls, _MAIL.is_tls
EMAIL_TIMEOUT = 10
SENDING = environment.read_switch("REGULARS_SENDING")
RECIPIENTS = environment.read_list("REGULARS_RECIPIENTS")
COOL_OFF = parse_duration(environment.read("REGULARS_COOL_OFF"))
CRASH_AT = environment.read("REGULARS_CRASH_AT")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "access.StaffMember"
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
        },
    }
]

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
FILE_UPLOAD_HANDLERS = ["regulars.foundation.pages.uploads.SmallFiles"]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
LOCALE_PATHS = [Path(__file__).parents[1] / "locale"]  # docs/translating.md

SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
# Browsers keep cookies by host, whatever the port: without its port in the name, one demo would sign the other out.
SESSION_COOKIE_NAME = "__Host-session" if SECURE else f"regulars_session_{environment.read('PORT')}"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else f"regulars_csrf_{environment.read('PORT')}"
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # asked from inside, without the proxy
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
PASSWORD_RESET_TIMEOUT = 3600
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""  # the worker loads the doors named jobs.py, nobody else needs them
LOGGING_CONFIG = None  # Django's own is replaced:
logs.configure(environment.read("REGULARS_LOG_LEVEL"))

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}
