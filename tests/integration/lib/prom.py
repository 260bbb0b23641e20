# SPDX-License-Identifier: Apache-2.0
"""Reads the Prometheus text formats (0.0.4 and OpenMetrics 1.0), strictly enough for tests."""
import re

SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*?)\})? (\S+)(?: (\S+))?(?: # \{(.*?)\} (\S+)(?: (\S+))?)?$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')
ESCAPE = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}


def labels_of(text):
    labels, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        if not match:
            raise ValueError(f"labels do not parse: {text[at:]!r}")
        labels[match[1]] = re.sub(r'\\[n"\\]', lambda e: ESCAPE[e[0]], match[2])
        at = match.end()
    return labels


class Samples:
    """One scrape: a list of (name, labels, value), and the exemplars of those that have one."""

    def __init__(self, text):
        self.text, self.list, self.exemplars, self.types = text, [], [], {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                name, kind = line[7:].split(" ")
                if name in self.types:
                    raise ValueError(f"second TYPE of {name}")
                self.types[name] = kind
            if not line or line.startswith("#"):
                continue
            match = SAMPLE.match(line)
            if not match:
                raise ValueError(f"line does not parse: {line!r}")
            labels = labels_of(match[2] or "")
            self.list.append((match[1], labels, float(match[3])))
            if match[5] is not None:
                self.exemplars.append((match[1], labels, labels_of(match[5]), float(match[6])))

    def select(self, name, **want):
        """[(labels, value)]; a wanted label of None must be absent or empty."""
        return [(labels, value) for n, labels, value in self.list
                if n == name and all(labels.get(k, "") == ("" if v is None else str(v)) for k, v in want.items())]

    def sum(self, name, **want):
        return sum(value for _, value in self.select(name, **want))
