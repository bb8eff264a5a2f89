"""The fitted model of confidence.py; made by tools/fit_confidence.py, not by hand."""

from __future__ import annotations

ROWS = 0
THRESHOLD = 0.5
WORTH_TELLING = 0.25
INTERCEPT = 4.0
WEIGHTS: dict[str, float] = {
    "doubts": -10.0,
}
