# SPDX-License-Identifier: Apache-2.0
"""An ordinary http.server: web.py PORT [1.0|1.1] [HOST]. The same routes as the other servers of the tests."""
import http.server
import socket
import sys
import time
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/" + (sys.argv[2] if len(sys.argv) > 2 else "1.1")
    wbufsize = 0			# as the module has it: head and body are calls of their own

    def serve(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        status, body = 200, b"Hello, world!\n"
        if url.path == "/slow":
            time.sleep(int(query.get("ms", 100)) / 1000)
        elif url.path == "/status":
            status, body = int(query.get("code", 200)), b""
        elif url.path == "/sized":
            body = bytes(int(query.get("n", 1000)))
        elif url.path == "/echo":
            body = b"%d\n" % self.drain()
        elif url.path == "/chunked":
            return self.chunked(int(query.get("n", 3)))
        elif url.path != "/":
            status, body = 404, b""
        self.send_response(status)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and body:
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = serve

    def drain(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            total = 0
            while True:
                size = int(self.rfile.readline(), 16)
                self.rfile.read(size + 2)
                if not size:
                    return total
                total += size
        size = int(self.headers.get("Content-Length", 0))
        self.rfile.read(size)
        return size

    def chunked(self, count):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(count):
            self.wfile.write(b"a\r\n0123456789\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


if __name__ == "__main__":
    host = sys.argv[3] if len(sys.argv) > 3 else "127.0.0.1"
    if ":" in host:
        Server.address_family = socket.AF_INET6
    Server((host, int(sys.argv[1])), Handler).serve_forever()
