"""Clients of the router that do one thing at a time: every call returns when
the answer is there, so the same calls are the same work each time. For
bench/counts; nothing here is fast."""

import json
import re
import socket
import struct

PATIENCE = 120
ENGINE = "/socket.io/?EIO=4&transport="
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Wrong(Exception):
    """The router said something else than it should."""


def expect(true, what, said):
    if not true:
        raise Wrong(f"{what}: the router said {said[:300]!r}")


class Connection:
    """A TCP connection that speaks HTTP/1.1."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host = address
        self.bytes = b""

    def send(self, method, target, fields="", body=b""):
        """Sends a request, in one piece."""
        head = f"{method} {target} HTTP/1.1\r\nHost: {self.host}\r\n{fields}"
        if method == "POST":
            head += f"Content-Length: {len(body)}\r\n"
        self.socket.sendall(head.encode() + b"\r\n" + body)

    def answer(self):
        """Returns status and body of the next answer."""
        while b"\r\n\r\n" not in self.bytes:
            self.receive()
        head, _ = self.bytes.split(b"\r\n\r\n", 1)
        length = LENGTH.search(head)
        self.take(len(head) + 4)
        body = self.take(int(length[1]) if length else 0)
        return int(head[9:12]), body

    def ask(self, method, target, fields="", body=b""):
        self.send(method, target, fields, body)
        return self.answer()

    def take(self, size):
        """Returns the next bytes."""
        while len(self.bytes) < size:
            self.receive()
        taken, self.bytes = self.bytes[:size], self.bytes[size:]
        return taken

    def receive(self):
        more = self.socket.recv(65536)
        if not more:
            raise Wrong("the router closed a connection")
        self.bytes += more

    def close(self):
        self.socket.close()


class WebSocket:
    """A user who is connected to the main namespace over WebSocket."""

    def __init__(self, address, user):
        self.http = Connection(address)
        status, body = self.http.ask(
            "GET", ENGINE + "websocket",
            f"Cookie: session={user}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: c2lnbmFsYm94LWxvYWQhIQ==\r\n")
        expect(status == 101, "WebSocket", body)
        said = self.take()
        expect(said.startswith(b"0"), "open", said)
        # A mask of zeros is one.
        self.http.socket.sendall(b"\x81\x82\0\0\0\0" + b"40")
        said = self.take()
        expect(said.startswith(b"40"), "CONNECT", said)

    def take(self):
        """Returns the next frame's content."""
        _, length = self.http.take(2)
        if length == 126:
            length, = struct.unpack(">H", self.http.take(2))
        return self.http.take(length)

    def close(self):
        self.http.close()


class Poller:
    """The same over long-polling. One poll is always held."""

    # Further header lines.
    accepts = ""

    def __init__(self, address, user):
        self.http = Connection(address)
        self.fields = f"Cookie: session={user}\r\n{self.accepts}"
        self.target = ENGINE + "polling"
        status, said = self.http.ask("GET", self.target, self.fields)
        expect(status == 200 and said.startswith(b"0"), "open", said)
        self.target += "&sid=" + json.loads(said[1:])["sid"]
        status, said = self.http.ask(
            "POST", self.target,
            self.fields + "Content-Type: text/plain\r\n", b"40")
        expect(status == 200, "CONNECT", said)
        self.poll()
        said = self.take()
        expect(said.startswith(b"40"), "CONNECT", said)
        self.poll()

    def poll(self):
        self.http.send("GET", self.target, self.fields)

    def take(self):
        """Returns what answers the poll."""
        status, said = self.http.answer()
        expect(status == 200, "poll", said)
        return said

    def close(self):
        self.http.close()


class GzipPoller(Poller):
    """The same, for answers that are compressed."""

    accepts = "Accept-Encoding: gzip\r\n"


class Publisher:
    """Posts events of one type, one request after the other."""

    def __init__(self, address, key):
        self.http = Connection(address)
        self.fields = (f"Authorization: Bearer {key}\r\n"
                       "Content-Type: application/json\r\n")

    def post(self, text, targets):
        """Posts an event for each target, together if there are several."""
        events = [{"namespace": "/", "type": "m", "payload": text, "to": to}
                  for to in targets]
        body = json.dumps(events if len(events) > 1 else events[0],
                          separators=(",", ":")).encode()
        status, said = self.http.ask("POST", "/api/v1/events", self.fields,
                                     body)
        expect(status == 200 and said.count(b'"ok":true') == len(events),
               "event", said)
