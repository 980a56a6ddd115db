"""The door of the web server: loaded once in each of its processes."""

import atexit
import gc
import os

from django.core.wsgi import get_wsgi_application

from regulars.foundation.inbox.bodies import watch_connections
from regulars.foundation.inbox.straight import Straight
from regulars.foundation.supervisor.processes import ask_to_end_with

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regulars.config.settings")
ask_to_end_with(os.getppid())  # a web server that is killed leaves no process behind that holds its port
application = Straight(get_wsgi_application())
watch_connections()
gc.freeze()  # what was loaded stays, and need not be looked through again and again
atexit.register(gc.unfreeze)  # else libraries complain of leaks at the end
