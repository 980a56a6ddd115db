"""Tells a script of calls through segment-analytics-python: ``python segment_python.py SCRIPT``."""

import json
import sys
from datetime import datetime

from segment.analytics.client import Client

script = json.loads(sys.argv[1])
client = Client(script["key"], host=script["host"], gzip=True)
for call in script["calls"]:
    given = {
        "user_id": call.get("userId"),
        "timestamp": datetime.fromisoformat(call["timestamp"]),
        "message_id": call["messageId"],
    }
    if call["type"] != "alias":
        given["anonymous_id"] = call["anonymousId"]
    names = {"previousId": "previous_id", "groupId": "group_id"}
    rest = {
        names.get(n, n): call[n]
        for n in ("event", "name", "previousId", "groupId", "properties", "traits")
        if n in call
    }
    getattr(client, call["type"])(**given, **rest)
client.shutdown()
