"""The fitted model of confidence.py; made by tools/fit_confidence.py, not by hand."""

from __future__ import annotations

ROWS = 1850
THRESHOLD = 0.9071
WORTH_TELLING = 0.25
INTERCEPT = 4.5704
WEIGHTS: dict[str, float] = {
    "doubts": 0.0000,
    "files": -0.4231,
    "fuzz": 0.0000,
    "other-lines": -0.1798,
    "rung:exact": 0.0582,
    "rung:offset": 0.3820,
    "rung:three-way": -0.4402,
    "same-file": 0.2082,
}
