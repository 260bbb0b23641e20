#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Size of the stripped binary, and what it links."""
import os
import re

from common import Failure, Table, bench
from lib.harness import SONDE


def measure(t, options):
    """build/sonde as `make` leaves it."""
    if not os.path.exists(SONDE):
        raise Failure(f"{SONDE} is not built")
    linked = t.run(["readelf", "-dW", SONDE]).stdout
    sections = t.run(["readelf", "-SW", SONDE]).stdout
    if ".debug_info" in sections or ".symtab" in sections:
        raise Failure(f"{SONDE} is not stripped")
    table = Table("what", "value", "bar")
    table.add("binary, stripped, MiB", f"{os.path.getsize(SONDE) / (1 << 20):.2f}", "<= 2")
    libraries = re.findall(r"NEEDED.*\[(.*)\]", linked)
    table.add("shared libraries linked", ", ".join(lib.split(".so")[0] for lib in libraries), "")
    return table, ""


bench(measure)
