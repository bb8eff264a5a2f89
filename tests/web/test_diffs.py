"""A series as HTML: every line once, numbered on both sides, and nothing of it taken for markup."""

from __future__ import annotations

import re

from django.template.loader import render_to_string
from hypothesis import given, settings
from hypothesis import strategies as st

from backports.bench.long_diff import long_diff
from backports.engine.diff import parse_series
from backports.web import diffs

SMALL = b"""From: One <one@example.org>
Subject: [PATCH] a <b> & c

Why.

---
diff --git a/x.c b/y.c
similarity index 90%
rename from x.c
rename to y.c
--- a/x.c
+++ b/y.c
@@ -7,3 +7,3 @@ int f(void)
 one
-two <script>
+zw\xe2\x80\xaeo
 three
\\ No newline at end of file
"""
LINE = re.compile(
    r'<div class="line (\w+)" id="([\w-]+)">'
    r'<span class="ln" data-n="(\d*)"></span><span class="ln" data-n="(\d*)"></span>'
    r'<span class="tx">(.*?)</span></div>'
)


def page(data: bytes) -> str:
    return render_to_string("parts/_diff.html", {"shown_patches": diffs.shown(parse_series(data))})


def test_lines_are_numbered_on_the_sides_that_have_them() -> None:
    found = LINE.findall(page(SMALL))
    assert [line[:4] for line in found] == [
        ("ctx", "p1-f1-h1-1", "7", "7"),
        ("del", "p1-f1-h1-2", "8", ""),
        ("add", "p1-f1-h1-3", "", "8"),
        ("ctx", "p1-f1-h1-4", "9", "9"),
    ]
    assert found[1][4] == "-two &lt;script&gt;"
    assert found[2][4].startswith('+zw<span class="hidden-char" title="right-to-left override">U+202E')
    assert found[3][4].endswith(">no newline</span>")


def test_what_happens_to_a_file_is_told_beside_its_name() -> None:
    html = page(SMALL)
    assert "<h3>a &lt;b&gt; &amp; c</h3>" in html
    assert '<code>y.c</code> <span class="soft">was <code>x.c</code></span> <span class="soft">renamed</span>' in html
    assert "1 added, 1 removed" in html
    assert '<div class="hunk two" id="p1-f1-h1">' in html


def test_every_line_of_a_long_diff_is_there_once() -> None:
    found = LINE.findall(page(long_diff(5_000)))
    assert len(found) == len({line[1] for line in found}) == 5_000


def test_a_diff_beyond_all_reading_is_cut_and_says_so() -> None:
    html = page(long_diff(diffs.MOST_LINES + 100))
    assert len(LINE.findall(html)) == diffs.MOST_LINES
    assert html.count("Left out here because the series is very long") == 5


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=60).filter(lambda raw: b"\n" not in raw and b"\r" not in raw))
def test_no_byte_of_a_patch_becomes_markup(raw: bytes) -> None:
    data = b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+" + raw + b"\n"
    line = LINE.findall(page(data))[1]
    bare = re.sub(r'<span class="hidden-char" title="[^"<>]*">[\w+]+</span>', "", line[4])
    assert "<" not in bare
    assert ">" not in bare
