"""Settings of a test run: the product's own, with a data folder that is thrown away and a password hash that is quick."""

import atexit
import os
import shutil
import tempfile

if "REGULARS_TEST_HOME" not in os.environ:  # the workers of one run share the folder of the process that began it
    os.environ["REGULARS_TEST_HOME"] = tempfile.mkdtemp(prefix="regulars-home-")
    atexit.register(shutil.rmtree, os.environ["REGULARS_TEST_HOME"], ignore_errors=True)
os.environ["REGULARS_HOME"] = os.environ["REGULARS_TEST_HOME"]

from regulars.config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True  # no folder of collected files is needed
