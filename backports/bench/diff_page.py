"""How long a long diff takes to become a page's HTML: `python -m backports.bench.diff_page [LINES]`."""

from __future__ import annotations

import os
import statistics
import sys
import time

from .long_diff import long_diff

RUNS = 15


def measure(lines: int) -> tuple[float, float, float]:
    """Milliseconds of parsing and rendering together, and the size in kilobytes (1000 bytes).

    The medians of the processor's time, and of the clock's, which counts what else the machine does.
    """
    from django.template.loader import render_to_string

    from backports.engine.diff import parse_series
    from backports.web.diffs import shown

    data, clock, processor, html = long_diff(lines), [], [], ""
    for _ in range(RUNS + 1):
        began, worked = time.perf_counter(), time.process_time()
        html = render_to_string("parts/_diff.html", {"shown_patches": shown(parse_series(data))})
        clock.append((time.perf_counter() - began) * 1000)
        processor.append((time.process_time() - worked) * 1000)
    return statistics.median(processor[1:]), statistics.median(clock[1:]), len(html.encode()) / 1000


def main() -> None:
    """Prints one line."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backports.settings")
    django.setup()
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    processor, clock, size = measure(lines)
    print(f"{lines} lines: {processor:.0f} ms of the processor, {clock:.0f} ms by the clock, {size:.0f} kB of HTML")


if __name__ == "__main__":
    main()
