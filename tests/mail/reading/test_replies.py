"""Answers: what is quoted, to which line it leads, and whose trailers are given."""

from __future__ import annotations

import pytest

from backports.engine.diff import parse_series
from backports.mail.reading.replies import Given, read_reply, spot_for

PATCH = b"""Subject: x

diff --git a/a.c b/a.c
--- a/a.c
+++ b/a.c
@@ -1,4 +1,5 @@
 int f(int i)
 {
+    check(i);
     return i;
 }
@@ -10,4 +11,5 @@
 int g(int i)
 {
+    check(i);
     return i;
 }
"""
REPLY = """On Tuesday somebody wrote:
> Reviewed-by: Somebody Else <else@other.example>
> diff --git a/a.c b/a.c
> @@ -10,4 +11,5 @@
>  int g(int i)
>  {
> +    check(i);

Why here as well?

>      return i;

And this?
It stands.

Reviewed-by: Example Reviewer <reviewer@other.example>
Tested-by: Example Reviewer <Reviewer@other.example> # 4.8 on a rack
--{space}
Acked-by: A Footer <footer@other.example>
""".replace("{space}", " ")


def test_remarks_stand_below_what_they_answer() -> None:
    found = read_reply(REPLY)
    assert [remark.text for remark in found.remarks] == ["Why here as well?", "And this?\nIt stands."]
    assert found.remarks[0].quoted[-1] == "+    check(i);"


def test_trailers_are_those_that_are_given_and_not_those_that_are_quoted() -> None:
    assert read_reply(REPLY).trailers == (
        Given("reviewed", "reviewer@other.example"),
        Given("tested", "reviewer@other.example", "4.8 on a rack"),
    )


def test_of_lines_that_read_alike_the_one_with_the_quotation_before_it() -> None:
    patches = parse_series(PATCH)
    first, second = read_reply(REPLY).remarks
    found = spot_for(patches, first.quoted)
    assert found is not None and found.place == (1, 1, 2, 3)
    again = spot_for(patches, second.quoted)
    assert again is not None and again.text == b"    return i;\n"


@pytest.mark.parametrize("quoted", [(), ("",), ("nothing of it",), ("   ", "")])
def test_what_stands_nowhere_leads_nowhere(quoted: tuple[str, ...]) -> None:
    assert spot_for(parse_series(PATCH), quoted) is None


def test_a_patch_that_is_not_the_one_answered_is_not_searched() -> None:
    patches = parse_series(PATCH) + parse_series(PATCH.replace(b"a.c", b"b.c"))
    found = spot_for(patches, ("+    check(i);",), patch=2)
    assert found is not None and found.patch == 2
