#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [-k TEXT] [--list] [SUBJECT...]: the integration tests: the agent and real servers.

Each test prints `ok NAME`, `FAIL NAME: why` or `skip NAME: why`; the last line is
`N passed, N failed, N skipped`. Exit 1 when one failed. SONDE names another binary than build/sonde;
HOOK forces a --socket-hook in all of them.
Root is needed: the agent loads BPF programs.
"""
import argparse
import importlib
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

from lib import harness

SUBJECTS = ["harness_test", "servers", "http1", "selection", "exporters", "faults", "commands"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-k", metavar="TEXT", default="", help="only tests with TEXT in their name")
    parser.add_argument("--list", action="store_true", help="names only")
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=" ".join(SUBJECTS))
    options = parser.parse_args()

    wrong = [s for s in options.subjects if s not in SUBJECTS]
    if wrong:
        parser.error(f"no subject {wrong[0]}; there are: {' '.join(SUBJECTS)}")
    for subject in options.subjects or SUBJECTS:
        importlib.import_module(subject)
    chosen = [(f"{subject}: {name}", function) for subject, name, function in harness.tests if options.k in name]
    if options.list:
        print("\n".join(name for name, _ in chosen))
        return 0
    harness.become_subreaper()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    verdicts = [harness.run_one(name, function) for name, function in chosen]
    print(f"{verdicts.count('ok')} passed, {verdicts.count('FAIL')} failed, {verdicts.count('skip')} skipped")
    return 1 if "FAIL" in verdicts or not verdicts else 0


sys.exit(main())
