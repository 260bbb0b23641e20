# SPDX-License-Identifier: Apache-2.0
"""An OTLP/HTTP endpoint to be good or bad at will, and a protobuf reader of its own for what arrives.

The reader knows the public field numbers of opentelemetry-proto 1.x (trace, metrics, common,
resource) and refuses any field it does not know: a writer that puts a value under a wrong number
or wire type is found, not skipped.
"""
import contextlib
import gzip
import http.server
import json
import socket
import struct
import threading

# message -> field number -> (name, type); "*" before a type: repeated. Packed where proto3 packs.
SCHEMA = {
    "TraceRequest": {1: ("resource_spans", "*ResourceSpans")},
    "ResourceSpans": {1: ("resource", "Resource"), 2: ("scope_spans", "*ScopeSpans"), 3: ("schema_url", "string")},
    "Resource": {1: ("attributes", "*KeyValue"), 2: ("dropped", "varint")},
    "ScopeSpans": {1: ("scope", "Scope"), 2: ("spans", "*Span"), 3: ("schema_url", "string")},
    "Scope": {1: ("name", "string"), 2: ("version", "string"), 3: ("attributes", "*KeyValue")},
    "Span": {1: ("trace_id", "bytes"), 2: ("span_id", "bytes"), 3: ("trace_state", "string"),
             4: ("parent_span_id", "bytes"), 5: ("name", "string"), 6: ("kind", "varint"), 7: ("start", "fixed64"),
             8: ("end", "fixed64"), 9: ("attributes", "*KeyValue"), 10: ("dropped", "varint"),
             15: ("status", "Status"), 16: ("flags", "fixed32")},
    "Status": {2: ("message", "string"), 3: ("code", "varint")},
    "KeyValue": {1: ("key", "string"), 2: ("value", "AnyValue")},
    "AnyValue": {1: ("string", "string"), 2: ("bool", "varint"), 3: ("int", "int64"), 4: ("double", "double"),
                 5: ("array", "ArrayValue"), 7: ("bytes", "bytes")},
    "ArrayValue": {1: ("values", "*AnyValue")},
    "MetricsRequest": {1: ("resource_metrics", "*ResourceMetrics")},
    "ResourceMetrics": {1: ("resource", "Resource"), 2: ("scope_metrics", "*ScopeMetrics"), 3: ("schema_url", "string")},
    "ScopeMetrics": {1: ("scope", "Scope"), 2: ("metrics", "*Metric"), 3: ("schema_url", "string")},
    "Metric": {1: ("name", "string"), 2: ("description", "string"), 3: ("unit", "string"), 5: ("gauge", "Gauge"),
               7: ("sum", "Sum"), 9: ("histogram", "Histogram"), 10: ("exponential", "Exponential")},
    "Gauge": {1: ("points", "*Number")},
    "Sum": {1: ("points", "*Number"), 2: ("temporality", "varint"), 3: ("monotonic", "varint")},
    "Number": {7: ("attributes", "*KeyValue"), 2: ("start", "fixed64"), 3: ("time", "fixed64"),
               4: ("as_double", "double"), 6: ("as_int", "sfixed64"), 5: ("exemplars", "*Exemplar")},
    "Histogram": {1: ("points", "*HistogramPoint"), 2: ("temporality", "varint")},
    "HistogramPoint": {9: ("attributes", "*KeyValue"), 2: ("start", "fixed64"), 3: ("time", "fixed64"),
                       4: ("count", "fixed64"), 5: ("sum", "double"), 6: ("bucket_counts", "*fixed64"),
                       7: ("bounds", "*double"), 8: ("exemplars", "*Exemplar"), 11: ("min", "double"),
                       12: ("max", "double")},
    "Exponential": {1: ("points", "*ExponentialPoint"), 2: ("temporality", "varint")},
    "ExponentialPoint": {1: ("attributes", "*KeyValue"), 2: ("start", "fixed64"), 3: ("time", "fixed64"),
                         4: ("count", "fixed64"), 5: ("sum", "double"), 6: ("scale", "sint32"),
                         7: ("zero_count", "fixed64"), 8: ("positive", "Buckets"), 9: ("negative", "Buckets"),
                         11: ("exemplars", "*Exemplar"), 12: ("min", "double"), 13: ("max", "double")},
    "Buckets": {1: ("offset", "sint32"), 2: ("counts", "*varint")},
    "Exemplar": {7: ("attributes", "*KeyValue"), 2: ("time", "fixed64"), 3: ("as_double", "double"),
                 6: ("as_int", "sfixed64"), 4: ("span_id", "bytes"), 5: ("trace_id", "bytes")},
}
NOBODY = {"attributes": []}
FIXED = {"fixed64": ("<Q", 8), "sfixed64": ("<q", 8), "double": ("<d", 8), "fixed32": ("<I", 4)}


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("varint of more than ten bytes")


def scalar(kind, data, at):
    if kind in FIXED:
        code, size = FIXED[kind]
        return struct.unpack_from(code, data, at)[0], at + size
    value, at = varint(data, at)
    if kind == "int64" and value >> 63:
        value -= 1 << 64
    if kind == "sint32":
        value = (value >> 1) ^ -(value & 1)
    return value, at


def wire_type(kind):
    if kind in ("string", "bytes") or kind in SCHEMA:
        return 2
    return {"<Q": 1, "<q": 1, "<d": 1, "<I": 5}[FIXED[kind][0]] if kind in FIXED else 0


def decode(message, data):
    """A dict of the fields that are there; repeated ones are always there, as lists."""
    fields = SCHEMA[message]
    out = {name: [] for name, kind in fields.values() if kind[0] == "*"}
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, wire = tag >> 3, tag & 7
        if number not in fields:
            raise ValueError(f"{message}: field {number} is not known")
        name, kind = fields[number]
        repeated, kind = kind[0] == "*", kind.lstrip("*")
        if wire == 2:
            size, at = varint(data, at)
            if at + size > len(data):
                raise ValueError(f"{message}.{name}: longer than what holds it")
            part, at = data[at:at + size], at + size
            if kind in SCHEMA:
                values = [decode(kind, part)]
            elif kind == "string":
                values = [part.decode("utf-8")]
            elif kind == "bytes":
                values = [part]
            elif repeated:
                values, inside = [], 0
                while inside < size:
                    value, inside = scalar(kind, part, inside)
                    values.append(value)
            else:
                raise ValueError(f"{message}.{name}: wire type 2")
        elif wire != wire_type(kind):
            raise ValueError(f"{message}.{name}: wire type {wire}")
        else:
            value, at = scalar(kind, data, at)
            values = [value]
        if repeated:
            out[name] += values
        else:
            out[name] = values[-1]
    return out


def attributes(of):
    """{key: plain value} of a message with attributes."""
    out = {}
    for pair in of["attributes"]:
        value = pair.get("value", {})
        if pair["key"] in out:
            raise ValueError(f"attribute {pair['key']} twice")
        out[pair["key"]] = next((v for v in value.values() if v != []), None)
    return out


class Sink:
    """Answers as `behave(path, n)` says: (status, headers, body) or None for 200; keeps what it accepted."""

    def __init__(self, t, behave=None, port=0, start=True):
        self.t, self.behave, self.requests, self.accepted = t, behave, [], []
        self.lock, self.server, self.port, self.connections = threading.Lock(), None, port, []
        self.gate = threading.Event()		# closed by hold(): answers wait
        self.gate.set()
        if start:
            self.start()
        t.defer(self.stop)

    def start(self):
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                sink.take(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def process_request(self, connection, address):
                sink.connections.append(connection)
                super().process_request(connection, address)

            def handle_error(self, *_):		# the agent may hang up when it is told to end
                pass

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self.gate.set()
        if self.server:
            self.server.shutdown()
            for connection in self.connections:		# kept alive ones, too
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self.server.server_close()
            self.server, self.connections = None, []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def hold(self):
        self.gate.clear()

    def release(self):
        self.gate.set()

    def take(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        encoding = handler.headers.get("Content-Encoding")
        plain = gzip.decompress(body) if encoding == "gzip" else body
        with self.lock:
            number = len(self.requests)
            self.requests.append((handler.path, dict(handler.headers), len(body), len(plain)))
        self.gate.wait(60)
        answer = self.behave(handler.path, number) if self.behave else None
        status, headers, reply = answer or (200, {}, b"")
        if status == 200:
            with self.lock:
                self.accepted.append((handler.path, plain))
        handler.send_response(status)
        for key, value in headers.items():
            handler.send_header(key, value)
        handler.send_header("Content-Type", "application/x-protobuf")
        handler.send_header("Content-Length", str(len(reply)))
        handler.end_headers()
        handler.wfile.write(reply)

    def bodies(self, path):
        with self.lock:
            return [plain for p, plain in self.accepted if p == path]

    def spans(self):
        """[(resource attributes, span)] of all accepted requests."""
        found = []
        for body in self.bodies("/v1/traces"):
            for group in decode("TraceRequest", body)["resource_spans"]:
                who = attributes(group.get("resource", NOBODY))
                for scope in group["scope_spans"]:
                    found += [(who, span) for span in scope["spans"]]
        return found

    def metric_points(self, name):
        """{attributes as JSON: (resource, point)} of the newest accepted state of a metric."""
        newest = {}
        for body in self.bodies("/v1/metrics"):
            for group in decode("MetricsRequest", body)["resource_metrics"]:
                who = attributes(group.get("resource", NOBODY))
                for scope in group["scope_metrics"]:
                    for metric in scope["metrics"]:
                        if metric["name"] != name:
                            continue
                        data = next(metric[k] for k in ("gauge", "sum", "histogram", "exponential") if k in metric)
                        for point in data["points"]:
                            key = json.dumps([who, attributes(point)], sort_keys=True, default=str)
                            newest[key] = (who, point)
        return newest

    def metric_count(self, name):
        return sum(point.get("count", 0) for _, point in self.metric_points(name).values())
