# SPDX-License-Identifier: Apache-2.0
"""Servers of unusual build: odd.py KIND PORT.

threads   one connection, many threads: each request is read by one and answered by another
fork      accept in the parent, one forked child a connection
close     HTTP/1.0 without a length: the end of the connection ends the body
binary    not HTTP at all: four bytes of length, then that many bytes, sent back
interim   100 and 103 before every 200
peek      looks at each request with MSG_PEEK, twice, before it reads it
bytewise  reads one byte a call
early     answers 413 to the head, reads the body afterwards
stall     a head that promises 1000 bytes, 100 of them, then nothing
"""
import os
import queue
import signal
import socket
import sys
import threading

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


def heads(conn):
    """Request heads without bodies, one by one, until the peer leaves."""
    buffer = b""
    while True:
        while b"\r\n\r\n" in buffer:
            head, buffer = buffer.split(b"\r\n\r\n", 1)
            yield head
        try:
            part = conn.recv(65536)
        except ConnectionResetError:
            return
        if not part:
            return
        buffer += part


def answer_all(conn, reply):
    with conn:
        for _ in heads(conn):
            conn.sendall(reply)


def threads(conn):
    """Readers take turns on the socket; each hands its requests to the next writer."""
    work, turn, over = queue.Queue(), threading.Lock(), threading.Event()
    source = heads(conn)

    def read():
        while not over.is_set():
            with turn:
                if over.is_set():
                    return
                if next(source, None) is None:
                    over.set()
                    for _ in range(4):
                        work.put(False)
                    return
                work.put(True)

    def write():
        while work.get():
            conn.sendall(OK)

    pool = [threading.Thread(target=f) for f in [read] * 4 + [write] * 4]
    for thread in pool:
        thread.start()
    for thread in pool:
        thread.join()
    conn.close()


def binary(conn):
    with conn:
        source = conn.makefile("rb")
        while True:
            head = source.read(4)
            if len(head) < 4:
                return
            conn.sendall(head + source.read(int.from_bytes(head, "big")))


def peek(conn):
    with conn:
        while True:
            seen = conn.recv(65536, socket.MSG_PEEK)
            again = conn.recv(65536, socket.MSG_PEEK)
            if not again:
                return
            end = again.index(b"\r\n\r\n") + 4 if b"\r\n\r\n" in again else 0
            if end and seen:
                conn.recv(end, socket.MSG_WAITALL)
                conn.sendall(OK)


def bytewise(conn):
    with conn:
        head = b""
        while True:
            byte = conn.recv(1)
            if not byte:
                return
            head += byte
            if head.endswith(b"\r\n\r\n"):
                head = b""
                conn.sendall(OK)


def early(conn):
    with conn:
        buffer = b""
        while b"\r\n\r\n" not in buffer:
            buffer += conn.recv(4096)
        head, rest = buffer.split(b"\r\n\r\n", 1)
        left = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]) - len(rest)
        conn.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n")
        while left > 0:
            left -= len(conn.recv(65536)) or left


def stall(conn):
    for _ in heads(conn):
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + bytes(100))
        conn.recv(1)		# until the peer leaves
    conn.close()


def close(conn):
    with conn:
        next(heads(conn), None)
        conn.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        for _ in range(5):
            conn.sendall(b"0123456789" * 10)


def fork(listener):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        conn, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            answer_all(conn, OK)
            os._exit(0)
        conn.close()


def main():
    kind, port = sys.argv[1], int(sys.argv[2])
    listener = socket.create_server(("127.0.0.1", port), backlog=128)
    if kind == "fork":
        return fork(listener)
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK
    serve = {"threads": threads, "close": close, "binary": binary, "stall": stall,
             "peek": peek, "bytewise": bytewise, "early": early,
             "interim": lambda conn: answer_all(conn, interim)}[kind]
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=serve, args=(conn,), daemon=True).start()


main()
