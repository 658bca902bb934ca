# SPDX-License-Identifier: GPL-2.0-or-later
# Holds a SARIF file against what the schema of SARIF 2.1.0 says of the objects that vethwall writes: which properties they
# may have and must have, and of what type these are; and against what the text of the standard says beyond it.
#
#   sarif.py FILE
import json
import re
import sys

URI = re.compile(r"[A-Za-z0-9._~/%:#-]+").fullmatch


def uri(value):
    return isinstance(value, str) and URI(value)


def text(value):
    return isinstance(value, str) and value != ""


def number(least):
    return lambda value: type(value) is int and value >= least


def one_of(*words):
    return lambda value: value in words


# Object: (property: what it is, the properties that must be there). A name is another object, in a list an array of it.
SHAPES = {
    "sarifLog": ({"$schema": uri, "version": one_of("2.1.0"), "runs": ["run"]}, ["version", "runs"]),
    "run": ({"tool": "tool", "columnKind": one_of("unicodeCodePoints"), "results": ["result"]}, ["tool"]),
    "tool": ({"driver": "toolComponent"}, ["driver"]),
    "toolComponent": ({"name": text, "version": text, "rules": ["reportingDescriptor"]}, ["name"]),
    "reportingDescriptor": (
        {
            "id": text,
            "shortDescription": "multiformatMessageString",
            "fullDescription": "multiformatMessageString",
            "defaultConfiguration": "reportingConfiguration",
        },
        ["id"],
    ),
    "multiformatMessageString": ({"text": text}, ["text"]),
    "reportingConfiguration": ({"level": one_of("none", "note", "warning", "error")}, []),
    "result": (
        {
            "ruleId": text,
            "ruleIndex": number(0),
            "level": one_of("none", "note", "warning", "error"),
            "message": "message",
            "locations": ["location"],
            "relatedLocations": ["location"],
            "suppressions": ["suppression"],
        },
        ["message"],
    ),
    "message": ({"text": text}, ["text"]),
    "location": ({"id": number(0), "physicalLocation": "physicalLocation", "message": "message"}, []),
    "physicalLocation": ({"artifactLocation": "artifactLocation", "region": "region"}, ["artifactLocation"]),
    "artifactLocation": ({"uri": uri}, []),
    "region": ({"startLine": number(1), "startColumn": number(1), "endColumn": number(1)}, ["startLine"]),
    "suppression": (
        {
            "kind": one_of("inSource", "external"),
            "status": one_of("accepted", "underReview", "rejected"),
            "justification": text,
        },
        ["kind"],
    ),
}


def check(value, what, path):
    if isinstance(what, list):
        assert isinstance(value, list), f"{path} is no array"
        for i, item in enumerate(value):
            check(item, what[0], f"{path}[{i}]")
    elif isinstance(what, str):
        properties, required = SHAPES[what]
        assert isinstance(value, dict), f"{path} is no object"
        for name in required:
            assert name in value, f"{path} has no {name}"
        for name, item in value.items():
            assert name in properties, f"{path}.{name} is not known"
            check(item, properties[name], f"{path}.{name}")
    else:
        assert what(value), f"{path} is {value!r}"


def check_run(run):
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(ids) == len(set(ids)), "a rule is there twice"
    told = ["suppressions" in result for result in run["results"]]
    assert all(told) or not any(told), "suppressions must be in all results or in none"
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        for location in result.get("locations", []) + result.get("relatedLocations", []):
            region = location["physicalLocation"].get("region", {})
            assert region.get("endColumn", 1e9) > region.get("startColumn", 0)
        related = [location["id"] for location in result.get("relatedLocations", [])]
        assert len(related) == len(set(related)), "two related locations of one id"


log = json.load(open(sys.argv[1]))
check(log, "sarifLog", "")
for run in log["runs"]:
    check_run(run)
