"""The client's side of a WebSocket (RFC 6455), as much of it as a test needs."""

import base64
import hashlib
import json
import os
import socket
import struct

from harness import Client, Failed, need

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Refused(Exception):
    """The upgrade was answered by something else than 101."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the upgrade was answered by {status}")
        self.status = status


class Closed(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class WebSocket:
    """Connected by the constructor with the client's cookie; text messages are JSON both ways."""

    def __init__(self, client: Client, path: str = "/api/v1/live", origin: str | None = None,
                 headers: dict[str, str] | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", client.port), timeout=15)
        self.unread = b""
        key = base64.b64encode(os.urandom(16))
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{client.port}", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {key.decode()}", "Sec-WebSocket-Version: 13",
                 f"Origin: {origin or f'http://127.0.0.1:{client.port}'}"]
        lines += [f"Cookie: nw_session={client.cookie}"] if client.cookie else []
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = self.read_head()
        status = int(head.split()[1])
        if status != 101:
            self.socket.close()
            raise Refused(status)
        accept = base64.b64encode(hashlib.sha1(key + MAGIC).digest())
        need(accept in head, "the upgrade's Sec-WebSocket-Accept is wrong")

    def __enter__(self) -> "WebSocket":
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def read_more(self) -> None:
        try:
            data = self.socket.recv(1 << 16)
        except TimeoutError:
            raise Failed("nothing came over the WebSocket within 15 s") from None
        except ConnectionError:
            data = b""
        if not data:
            raise Closed(1006)
        self.unread += data

    def read_head(self) -> bytes:
        while b"\r\n\r\n" not in self.unread:
            self.read_more()
        head, _, self.unread = self.unread.partition(b"\r\n\r\n")
        return head

    def take(self, count: int) -> bytes:
        while len(self.unread) < count:
            self.read_more()
        data, self.unread = self.unread[:count], self.unread[count:]
        return data

    def send_frame(self, kind: int, data: bytes) -> None:
        size = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0x80 | 126]) + struct.pack(">H", len(data))
        mask = os.urandom(4)
        self.socket.sendall(bytes([0x80 | kind]) + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def send(self, message: dict) -> None:
        self.send_frame(TEXT, json.dumps(message).encode())

    def read_frame(self) -> tuple[int, bytes]:
        first, second = self.take(2)
        need(first & 0x80 and not second & 0x80, "a fragmented or masked frame from the controller")
        length = second & 0x7F
        if length >= 126:
            length = int.from_bytes(self.take(2 if length == 126 else 8), "big")
        return first & 0x0F, self.take(length)

    def receive(self) -> dict:
        """The next message; raises Closed when there is none to come."""
        while True:
            kind, data = self.read_frame()
            if kind == TEXT:
                return json.loads(data)
            if kind == PING:
                self.send_frame(PONG, data)
            elif kind == CLOSE:
                raise Closed(int.from_bytes(data[:2], "big") if len(data) >= 2 else 1005)

    def ask(self, message: dict) -> list[dict]:
        """Everything that comes up to and with the answer to `message`, the answer last."""
        self.send(message)
        seen = []
        while True:
            seen.append(self.receive())
            if seen[-1].get("id") == message["id"] and seen[-1]["type"] in ("subscribed", "reset", "error"):
                return seen

    def until(self, wanted) -> list[dict]:
        """Everything up to and with the first message that `wanted` accepts."""
        seen = []
        while not seen or not wanted(seen[-1]):
            seen.append(self.receive())
        return seen
