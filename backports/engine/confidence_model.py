"""The fitted model of confidence.py; made by tools/fit_confidence.py, not by hand."""

from __future__ import annotations

ROWS = 323
THRESHOLD = 0.8943
WORTH_TELLING = 0.25
INTERCEPT = 4.8331
WEIGHTS: dict[str, float] = {
    "agrees": 0.2641,
    "doubts": -0.7064,
    "drift": -0.2312,
    "files": -0.2984,
    "flags": -0.6146,
    "hunks": -0.3391,
    "merge-conflict": -0.9954,
    "moved": -0.1239,
    "other-lines": -0.4025,
    "rung:adjacent": -0.1629,
    "rung:block": 0.3253,
    "rung:dialect": -0.2933,
    "rung:exact": 0.4189,
    "rung:fuzz": 0.1260,
    "rung:offset": 0.0660,
    "rung:three-way": 0.2215,
    "rung:token": -0.7014,
    "same-file": 0.1883,
}
