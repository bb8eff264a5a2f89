"""WCAG 2.2 AA: text against its background, in both schemes, from the tokens themselves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

TOKENS = (Path(settings.BASE_DIR) / "static" / "css" / "tokens.css").read_text()
TONES = ("good", "calm", "review", "part", "bad", "info", "none", "wait", "embargo", "add", "del", "hidden")
GROUNDS = ("page", "surface", "sunken")
PAIRS = [
    *((tone, f"{tone}-bg") for tone in TONES),
    *((text, ground) for text in ("text", "soft", "link", "bad", "good", "review") for ground in GROUNDS),
    *((text, "surface") for text in ("add", "del")),
    *(("text", ground) for ground in ("add-bg", "del-bg")),
    ("soft", "calm-bg"),
    ("soft", "bad-bg"),
    ("bad", "bad-bg"),
    ("soft", "add-bg"),
    ("soft", "del-bg"),
    ("embargo-text", "embargo-soft"),
    ("button-text", "button"),
    ("page", "text"),
]
LINES = [("edge", ground) for ground in GROUNDS] + [("focus", ground) for ground in GROUNDS]


def schemes() -> dict[str, dict[str, str]]:
    light, _, dark = TOKENS.partition("@media (prefers-color-scheme: dark)")
    found = re.compile(r"--([\w-]+):\s*(#[0-9a-f]{6});")
    base = dict(found.findall(light))
    return {"light": base, "dark": base | dict(found.findall(dark))}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out(scheme: str, text: str, ground: str) -> None:
    colours = schemes()[scheme]
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("line", "ground"), LINES)
def test_edges_of_fields_and_the_focus_stand_out(scheme: str, line: str, ground: str) -> None:
    colours = schemes()[scheme]
    assert contrast(colours[line], colours[ground]) >= 3
