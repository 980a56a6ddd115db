"""Django's own checks of a deployment pass without a warning, and none is silenced."""

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings


def test_the_deployment_checks_find_nothing(tmp_path: Path) -> None:
    safe = {
        "REGULARS_SECURE": "on",
        "REGULARS_SECRET_KEY": "kz8Qw3n5Lr0Vt2Xy6Bm9Dc4Fh7Jp1Sg-Ua_Ei+Ob.Nf,Rk;Wv:Zx",
        "REGULARS_PUBLIC_URL": "https://shop.example",
        "REGULARS_HOME": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "regulars.config.settings",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    command = [sys.executable, "-W", "ignore", "-m", "django", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, env=os.environ | safe, capture_output=True, text=True, check=False)
    assert "no issues (0 silenced)" in done.stdout + done.stderr


def test_two_installations_on_one_machine_do_not_sign_each_other_out(tmp_path: Path) -> None:
    """A browser keeps cookies by host, whatever the port."""
    show = "from regulars.config import settings as s; print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME)"
    plain = {
        "REGULARS_SECURE": "off",
        "REGULARS_HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    names = [
        subprocess.run(
            [sys.executable, "-c", show],
            env=os.environ | plain | {"PORT": port},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for port in ("8001", "8002")
    ]
    assert names == [["regulars_session_8001", "regulars_csrf_8001"], ["regulars_session_8002", "regulars_csrf_8002"]]


def test_nothing_is_silenced_and_cookies_are_closed() -> None:
    assert settings.SILENCED_SYSTEM_CHECKS == []
    assert settings.SESSION_COOKIE_HTTPONLY
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    assert directives["object-src"] == directives["base-uri"] == directives["frame-ancestors"] == ["'none'"]
    assert directives["default-src"] == ["'self'"]
    assert "script-src" not in directives or directives["script-src"] == ["'self'"]
