"""Drives python-socketio for support/program.mjs: JSON lines in and out.

One program for python-socketio 4 (../python4) and 5, the venv decides which.
"""
import base64
import json
import os
import sys
import threading
from importlib.metadata import version

import requests
import socketio

LIBRARY = version("python-socketio")
NAMESPACE = os.environ["CLIENT_NAMESPACE"]
TRANSPORTS = {"websocket": ["websocket"], "polling": ["polling"], "upgrade": None}

output = threading.Lock()


def say(event, **more):
    line = json.dumps({"event": event, **more})
    with output:
        print(line, flush=True)


def encoded(value):
    if isinstance(value, bytes):
        return {"$base64": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {key: encoded(x) for key, x in value.items()}
    if isinstance(value, (list, tuple)):
        return [encoded(x) for x in value]
    return value


def decoded(value):
    if isinstance(value, dict):
        if "$base64" in value:
            return base64.b64decode(value["$base64"])
        return {key: decoded(x) for key, x in value.items()}
    if isinstance(value, list):
        return [decoded(x) for x in value]
    return value


class Client(socketio.Client):
    """Tells when connect(), which a reconnect calls too, has returned."""

    returned = threading.Event()

    def connect(self, *args, **kwargs):
        self.returned.clear()
        super().connect(*args, **kwargs)
        self.returned.set()


# The cookie is in the session, as a page's is in the browser. Given as a header
# it would be sent with the handshake only, and after an upgrade the client
# takes it out of the headers: the reconnect would come without.
session = requests.Session()
session.trust_env = False
name, _, value = os.environ["CLIENT_COOKIE"].partition("=")
session.cookies.set(name, value)
sio = Client(http_session=session, reconnection_delay=0.2,
             reconnection_delay_max=1, randomization_factor=0.1)


def listener(event):
    def received(*args):
        say("event", name=event, args=encoded(args))
        return ("answer", *args) if event == "question" else None
    return received


def connected():
    # The handler runs before connect() returns, and until then python-socketio
    # overlooks a DISCONNECT.
    if sio.returned.wait(10):
        say("connected", transport=sio.transport())


for each in json.loads(os.environ["CLIENT_EVENTS"]):
    sio.on(each, listener(each), namespace=NAMESPACE)
sio.on("connect", lambda: threading.Thread(target=connected).start(),
       namespace=NAMESPACE)
sio.on("connect_error", lambda *args: say("refused", args=encoded(args)),
       namespace=NAMESPACE)
sio.on("disconnect", lambda *args: say("disconnected", args=encoded(args)),
       namespace=NAMESPACE)


def obey():
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "close":
            sio.disconnect()
        else:
            event = command["name"]
            sio.emit(event, tuple(decoded(command["args"])), namespace=NAMESPACE,
                     callback=lambda *args, event=event:
                     say("ack", name=event, args=encoded(args)))
    # No connect or reconnect under way is waited for, and no held poll.
    os._exit(0)


say("started", library=f"python-socketio {LIBRARY}")
threading.Thread(target=obey).start()
# Longer than the site may take; 4.x does not wait at all.
wait = {} if LIBRARY.startswith("4.") else {"wait_timeout": 10}
try:
    sio.connect(os.environ["CLIENT_URL"], namespaces=[NAMESPACE],
                transports=TRANSPORTS[os.environ["CLIENT_TRANSPORT"]], **wait)
except socketio.exceptions.ConnectionError as error:
    say("failed", message=str(error))
