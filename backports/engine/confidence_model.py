"""The fitted model of confidence.py; made by tools/fit_confidence.py, not by hand."""

from __future__ import annotations

ROWS = 1335
THRESHOLD = 0.8654
WORTH_TELLING = 0.25
INTERCEPT = 3.6905
WEIGHTS: dict[str, float] = {
    "agrees": 0.4366,
    "doubts": -0.5954,
    "drift": -0.1945,
    "files": -0.1055,
    "flags": -1.4350,
    "fuzz": -0.1416,
    "insert-ahead": -1.0421,
    "merge-conflict": -0.8876,
    "over-changed": -0.3974,
    "remove-beside": -0.5146,
    "rung:adjacent": -0.2678,
    "rung:block": 0.1638,
    "rung:dialect": -0.0031,
    "rung:exact": 0.6362,
    "rung:fuzz": 0.1020,
    "rung:offset": 0.2605,
    "rung:three-way": -0.2066,
    "rung:token": -0.4418,
    "rung:whitespace": -0.2432,
    "same-file": 0.1287,
}
