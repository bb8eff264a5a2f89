"""The fitted model of confidence.py; made by tools/fit_confidence.py, not by hand."""

from __future__ import annotations

ROWS = 1335
THRESHOLD = 0.8669
WORTH_TELLING = 0.25
INTERCEPT = 3.7078
WEIGHTS: dict[str, float] = {
    "agrees": 0.4285,
    "doubts": -0.6596,
    "drift": -0.1925,
    "files": -0.1061,
    "flags": -1.4172,
    "fuzz": -0.1283,
    "insert-ahead": -1.0456,
    "merge-conflict": -0.8740,
    "over-changed": -0.4794,
    "remove-beside": -0.5117,
    "rung:adjacent": -0.3145,
    "rung:block": 0.0969,
    "rung:dialect": 0.0313,
    "rung:exact": 0.6298,
    "rung:fuzz": 0.1125,
    "rung:offset": 0.2521,
    "rung:three-way": -0.2109,
    "rung:token": -0.3655,
    "rung:whitespace": -0.2317,
    "same-file": 0.1280,
}
