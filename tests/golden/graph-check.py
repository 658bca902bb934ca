#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a graph of vethwall matrix is in the language of dot, and its edges lead to nodes: graph-check.py FILE"""

import re
import sys

STRING = r'"(?:[^"\\\n]|\\["\\n])*"'
ATTRIBUTE = rf"(?:[a-z]+=(?:{STRING}|[A-Za-z0-9]+))"
ATTRIBUTES = rf"\[{ATTRIBUTE}(?:, {ATTRIBUTE})*\]"
FORMS = [
    r"digraph vethwall \{|\}|subgraph cluster_\d+ \{",
    rf"(?:graph|node|edge) {ATTRIBUTES};",
    rf"label={STRING};",
    rf"(?P<node>n\d+) {ATTRIBUTES};",
    rf"(?P<src>n\d+) -> (?P<dst>n\d+) {ATTRIBUTES};",
]


def main():
    nodes, edges, depth = set(), [], 0
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = file.read().split("\n")
    for line in filter(None, lines):
        found = next((m for m in (re.fullmatch(form, line.strip()) for form in FORMS) if m), None)
        if not found:
            sys.exit(f"no statement: {line}")
        if re.search(r"&(?!amp;)", line):
            sys.exit(f"an entity: {line}")
        depth += line.endswith("{")
        depth -= line.strip() == "}"
        groups = found.groupdict()
        if "node" in groups:
            nodes.add(groups["node"])
        if "src" in groups:
            edges.append((groups["src"], groups["dst"]))
    if depth != 0 or any(end not in nodes for edge in edges for end in edge):
        sys.exit("brackets or nodes are missing")


main()
