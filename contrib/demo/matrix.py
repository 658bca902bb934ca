#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints who reaches whom, expected and measured, side by side.

    matrix.py CELLS MEASURED [MATRIX]

CELLS     a line for each connection to try: SOURCE DESTINATION WORD PROTO PORT SOURCE-KEY DESTINATION-KEY
MEASURED  what came of each, in the same order: open, silent, ...
MATRIX    the output of `vethwall matrix -o json`; without it only what was measured is printed

A key is namespace/name or an address outside. Exit status 1 if any measured connection differs from the matrix."""

import ipaddress
import json
import os
import sys

COLOUR = os.environ.get("DEMO_COLOUR") == "always"


def paint(text, code):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def covers(end, key):
    """Whether a side of a flow, namespace/name or a range of addresses, is what key names."""
    if "/" in key or "/" in end:
        return end == key
    first, last = (ipaddress.ip_address(part) for part in end.split("-"))
    address = ipaddress.ip_address(key)
    return first.version == address.version and first <= address <= last


def expected(matrix, proto, port, source, destination):
    for flow in matrix["flows"]:
        if covers(flow["src"], source) and covers(flow["dst"], destination):
            if proto == "icmp":
                return flow["other"]
            ranges = flow["conns"].get(proto.upper(), [])
            return any(first <= int(port) <= last for first, last in ranges)
    return False


def grid(sources, destinations, cells, verdicts, wrong):
    """Rows of text and their visible width: for each pair, the words of what is open."""
    tried = {}
    for (source, destination, word, *_), verdict in zip(cells, verdicts):
        tried.setdefault((source, destination), []).append((word, verdict))
    texts = {}
    for pair, words in tried.items():
        opened = [word for word, verdict in words if verdict]
        whole = len(opened) == len(words) and len(words) > 1
        texts[pair] = "all" if whole else " ".join(opened) or "-"
    widths = [max([len(d)] + [len(texts.get((s, d), "")) for s in sources]) for d in destinations]
    rows = [paint("  ".join(d.ljust(w) for d, w in zip(destinations, widths)), "1")]
    for s in sources:
        row = []
        for d, width in zip(destinations, widths):
            text = texts.get((s, d), "")
            code = "1;37;41" if (s, d) in wrong else "2" if text == "-" else "32"
            row.append(paint(text, code) + " " * (width - len(text)))
        rows.append("  ".join(row))
    return rows, sum(widths) + 2 * (len(widths) - 1)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        cells = [line.split() for line in file]
    with open(sys.argv[2], encoding="utf-8") as file:
        measured = [line.strip() == "open" for line in file]
    if len(cells) != len(measured):
        sys.exit(f"{len(cells)} connections to try, and {len(measured)} results")
    sources = list(dict.fromkeys(cell[0] for cell in cells))
    destinations = [end for end in sources if any(cell[1] == end for cell in cells)]
    margin = max(map(len, sources))

    if len(sys.argv) < 4:
        rows, _ = grid(sources, destinations, cells, measured, set())
        for source, row in zip([""] + sources, rows):
            print("  " + source.ljust(margin) + "  " + row)
        print(f"\n  {len(cells)} connections tried, {sum(measured)} got through.")
        return 0

    with open(sys.argv[3], encoding="utf-8") as file:
        matrix = json.load(file)
    wanted = [expected(matrix, *cell[3:7]) for cell in cells]
    bad = [(cell, got) for cell, want, got in zip(cells, wanted, measured) if want != got]
    wrong = {tuple(cell[:2]) for cell, _ in bad}
    left, width = grid(sources, destinations, cells, wanted, set())
    right, _ = grid(sources, destinations, cells, measured, wrong)
    print("  " + " " * margin + "  " + "expected (vethwall matrix)".ljust(width) + "   |   measured (connections)")
    for source, one, two in zip([""] + sources, left, right):
        print("  " + source.ljust(margin) + "  " + one + "   |   " + two)
    print(f"\n  {len(cells)} connections tried, {sum(measured)} got through, ", end="")
    if not bad:
        print(paint("every one as the policy says.", "1;32"))
        return 0
    print(paint(f"{len(bad)} not as the policy says:", "1;31"))
    for cell, got in bad:
        print(f"    {cell[0]} -> {cell[1]} {cell[2]}: {'got through' if got else 'did not get through'}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
