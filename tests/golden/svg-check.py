#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a picture of vethwall matrix can be read: svg-check.py FILE

It is well-formed XML of SVG alone, without anything active or fetched; it has a title and a description; no text lies on
another or beyond the picture or out of the box it stands in; and every text keeps 4.5:1 to its ground, light and dark."""

import re
import sys
import unicodedata
import xml.etree.ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"
KNOWN = {SVG + name for name in ("svg", "title", "desc", "style", "rect", "text", "path", "circle", "g")}
# Pixels for each character: of the classes in the proportional font, generously; of the fixed-width font.
WIDTHS = {"h": 15, "p": 8.2, "c": 9.5}
COLUMN = 7.83
GROUNDS = {"t": ("bg", "box"), "d": ("bg", "box"), "st": ("some",), "at": ("all",)}


def fail(message):
    sys.exit(f"{sys.argv[1]}: {message}")


def text_box(node):
    classes = node.get("class").split()
    text = node.text or ""
    columns = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
    width = next((WIDTHS[c] for c in classes if c in WIDTHS and "s" in classes), COLUMN)
    x, y = int(node.get("x")), int(node.get("y"))
    return x, y - 12, x + width * columns, y + 4, text


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def within(inner, outer):
    return outer[0] <= inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def check_style(style):
    light, dark = style.split("@media(prefers-color-scheme:dark)")
    pattern = re.compile(r"\.(\w+)\{[^}]*?(?:fill|stroke):(#[0-9a-f]+)")
    schemes = [dict(pattern.findall(part)) for part in (light, dark)]
    if set(schemes[0]) != set(schemes[1]):
        fail(f"in one scheme only: {set(schemes[0]) ^ set(schemes[1])}")
    pairs = [(text, ground, 4.5) for text, grounds in GROUNDS.items() for ground in grounds]
    pairs += [(f"w{i}", ground, 3) for i in range(8) for ground in ("bg", "box")]
    for colours in schemes:
        for text, ground, least in pairs:
            if contrast(colours[text], colours[ground]) < least:
                fail(f"{text} on {ground}: {contrast(colours[text], colours[ground]):.2f}")


def check_places(root):
    picture = (0, 0, int(root.get("width")), int(root.get("height")))
    boxes = []
    for node in root.iter(SVG + "rect"):
        x, y, w, h = (int(node.get(key)) for key in ("x", "y", "width", "height"))
        if not within((x, y, x + w, y + h), picture):
            fail(f"a box leaves the picture: {node.attrib}")
        if node.get("class") != "bg":
            boxes.append((x, y, x + w, y + h))
    texts = sorted((text_box(node) for node in root.iter(SVG + "text")), key=lambda t: t[1])
    for i, text in enumerate(texts):
        if not within(text, picture):
            fail(f"leaves the picture: {text}")
        for other in texts[i + 1:]:
            if other[1] >= text[3]:
                break
            if overlap(text, other):
                fail(f"one on the other: {text} {other}")
        for box in boxes:
            if overlap(text, box) and not within(text, box):
                fail(f"crosses the edge of a box: {text} {box}")


def main():
    root = ET.parse(sys.argv[1]).getroot()
    for node in root.iter():
        if node.tag not in KNOWN:
            fail(f"unknown element {node.tag}")
        for name, value in node.attrib.items():
            if name.startswith("on") or "href" in name or "url(" in value:
                fail(f"active: {name}={value}")
    style = root.find(SVG + "style").text
    if "url(" in style or "@import" in style:
        fail("the style sheet fetches something")
    if not root.get("role") or [root[0].tag, root[1].tag] != [SVG + "title", SVG + "desc"]:
        fail("no title, no description or no role")
    if root.get("aria-labelledby") != f"{root[0].get('id')} {root[1].get('id')}":
        fail("title and description are not referred to")
    check_style(style)
    check_places(root)


main()
