# SPDX-License-Identifier: Apache-2.0
"""An HTTP client that sends exactly the bytes it is told, in the pieces it is told, and reads answers to their end."""
import socket

from .harness import Failure


class Wire:
    def __init__(self, t, address, seconds=20):
        """`address`: (host, port), or the path of a Unix socket."""
        if isinstance(address, tuple):
            self.socket = socket.create_connection(address, timeout=seconds)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(seconds)
            self.socket.connect(str(address))
        self.buffer = b""
        t.defer(self.close)

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_pieces(self, data, size):
        """Each piece in a segment of its own, mostly a read of its own at the other end."""
        for at in range(0, len(data), size):
            self.socket.sendall(data[at:at + size])

    def fill(self):
        part = self.socket.recv(1 << 18)
        if not part:
            raise Failure(f"the server closed within an answer, after {self.buffer[:80]!r}")
        self.buffer += part

    def take(self, size):
        while len(self.buffer) < size:
            self.fill()
        part, self.buffer = self.buffer[:size], self.buffer[size:]
        return part

    def until(self, mark):
        while mark not in self.buffer:
            self.fill()
        return self.take(self.buffer.index(mark) + len(mark))

    def skip(self, size):
        """Drops so many bytes without keeping them."""
        size -= len(self.take(min(size, len(self.buffer))))
        while size:
            part = self.socket.recv(min(size, 1 << 20))
            if not part:
                raise Failure("the server closed within a body")
            size -= len(part)

    def rest(self):
        """All bytes until the server closes."""
        whole = [self.buffer]
        while True:
            part = self.socket.recv(1 << 18)
            if not part:
                self.buffer = b""
                return b"".join(whole)
            whole.append(part)

    def chunks(self):
        total = 0
        while True:
            size = int(self.until(b"\r\n").split(b";")[0], 16)
            self.take(size + 2)
            if not size:
                return total
            total += size

    def answer(self, bodiless=False, interim=False):
        """(status, body bytes) of the next final answer (with `interim`: of the next, 1xx or not)."""
        while True:
            head = self.until(b"\r\n\r\n").lower()
            status = int(head.split(b" ")[1])
            if interim or status == 101 or status >= 200:
                break
        if bodiless or status in (204, 304) or status < 200:
            return status, 0
        fields = dict(line.split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
        if b"transfer-encoding" in fields:
            return status, self.chunks()
        if b"content-length" in fields:
            size = int(fields[b"content-length"])
            self.skip(size)
            return status, size
        return status, len(self.rest())

    def get(self, path="/", method="GET", head="", body=b"", version="1.1"):
        """One request and its answer."""
        self.send(request(path, method, head, body, version))
        return self.answer(bodiless=method == "HEAD")


def request(path="/", method="GET", head="", body=b"", version="1.1"):
    length = f"Content-Length: {len(body)}\r\n" if body or method in ("POST", "PUT") and "ransfer-" not in head else ""
    return f"{method} {path} HTTP/{version}\r\nHost: test\r\n{head}{length}\r\n".encode() + body
