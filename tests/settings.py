"""Settings of a test run: the product's own, with a data folder that is thrown away and a password hash that is quick."""

import atexit
import os
import shutil
import tempfile

# Each process of a run has its own: keys are rotated and anchors written in it. A process that a test starts has its parent's.
OWNER = os.environ.get("PYTEST_XDIST_WORKER", "main")
if os.environ.get("REGULARS_TEST_HOME_OF") != OWNER:
    os.environ["REGULARS_TEST_HOME_OF"] = OWNER
    os.environ["REGULARS_TEST_HOME"] = tempfile.mkdtemp(prefix="regulars-home-")
    atexit.register(shutil.rmtree, os.environ["REGULARS_TEST_HOME"], ignore_errors=True)
os.environ["REGULARS_HOME"] = os.environ["REGULARS_TEST_HOME"]

from regulars.config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True  # no folder of collected files is needed
