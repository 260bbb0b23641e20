# SPDX-License-Identifier: Apache-2.0
"""A WSGI application for gunicorn with the routes of the tests' servers."""
import time
import urllib.parse


def app(environ, start_response):
    path = environ["PATH_INFO"]
    query = dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))
    status, body = "200 OK", b"Hello, world!\n"
    if path == "/slow":
        time.sleep(int(query.get("ms", 100)) / 1000)
    elif path == "/status":
        status, body = f"{query.get('code', 200)} As asked", b""
    elif path == "/sized":
        body = bytes(int(query.get("n", 1000)))
    elif path == "/chunked":
        start_response(status, [("Content-Type", "text/plain")])
        return iter([b"0123456789"] * int(query.get("n", 3)))
    elif path == "/echo":
        size = 0
        while True:
            part = environ["wsgi.input"].read(65536)
            if not part:
                break
            size += len(part)
        body = b"%d\n" % size
    elif path != "/":
        status, body = "404 Not Found", b""
    start_response(status, [("Content-Length", str(len(body)))])
    return [body]
