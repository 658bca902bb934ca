#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts the single tests in a log of `meson test` (meson-logs/NAME.json), from what the test programs themselves said:
TAP lines, or cmocka's closing lines; a program that says neither counts as one test. A program that failed without
counting a failure (a crash, a timeout, a sanitizer's report) adds one.

    count.py NAME LOG       prints "NAME PASSED FAILED SKIPPED"
"""

import json
import re
import sys


def count(result, output):
    """The number of passed, failed and skipped tests of one program."""
    tap = re.findall(r"^(ok|not ok)\b[^#\n]*(# *SKIP)?", output, re.M | re.I)
    cmocka = [re.findall(r"^\[ +" + word + r" +\] (\d+) test", output, re.M) for word in ("PASSED", "FAILED", "SKIPPED")]

    if any(cmocka):
        passed, failed, skipped = (sum(map(int, found)) for found in cmocka)
    else:
        failed = sum(1 for verdict, _ in tap if verdict.lower() == "not ok")
        skipped = sum(1 for verdict, skip in tap if verdict.lower() == "ok" and skip)
        passed = len(tap) - failed - skipped
    if result in ("OK", "EXPECTEDFAIL"):
        passed += passed + failed + skipped == 0
    elif result == "SKIP":
        skipped += skipped == 0
    else:
        failed += failed == 0
    return passed, failed, skipped


def main():
    name, path = sys.argv[1:]
    totals = [0, 0, 0]
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            for line in log:
                entry = json.loads(line)
                output = (entry.get("stdout") or "") + "\n" + (entry.get("stderr") or "")
                totals = [a + b for a, b in zip(totals, count(entry["result"], output))]
    except FileNotFoundError:
        totals = [0, 1, 0]
    print(name, *totals)


if __name__ == "__main__":
    main()
