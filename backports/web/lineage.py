"""What derives from what, among the versions of an advisory's backports that the reader sees: a picture and a list.

A line is drawn where somebody said so, from each version to the next one of its backport, and where a version has most
of its hunks from an earlier one of another backport.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest

from backports.models import BackportVersion
from xsa.models import Advisory

from .lookup import versions_for

MOST = 60
AKIN = 0.5  # the share of its hunks that a version must have from another one
WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN, HEAD = 150, 26, 34, 18, 8, 20


@dataclass(frozen=True, slots=True)
class Node:
    """A version in the picture; `x` and `y` are its corner, in pixels."""

    version: BackportVersion
    label: str
    under: str
    x: int
    y: int

    @property
    def middle(self) -> tuple[float, float]:
        """Its middle."""
        return self.x + WIDTH / 2, self.y + HEIGHT / 2


@dataclass(frozen=True, slots=True)
class Edge:
    """A line from an earlier version (`above`) to a later one (`below`); `kind` is next, said or akin."""

    above: Node
    below: Node
    kind: str
    told: str

    @property
    def path(self) -> str:
        """The line as SVG draws it."""
        (x1, _), (x2, _) = self.above.middle, self.below.middle
        y1, y2 = self.above.y + HEIGHT, self.below.y
        bend = max(8, (y2 - y1) // 2)
        return f"M{x1:g} {y1} C{x1:g} {y1 + bend} {x2:g} {y2 - bend} {x2:g} {y2}"


@dataclass(frozen=True, slots=True)
class Drawn:
    """The picture: columns are backports, oldest version on top."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]
    heads: Sequence[tuple[int, str, str]]
    width: int
    height: int
    cut: bool
    box = (WIDTH, HEIGHT)


def drawn(request: HttpRequest, advisory: Advisory) -> Drawn | None:
    """The lineage of an advisory's backports; None where there is but one version, which derives from nothing."""
    rows = versions_for(request).defer(None).defer("evidence", "compared", "marks", "notes", "problem", "note")
    rows = rows.filter(backport__advisory=advisory).order_by("made_at", "pk")
    found = list(rows.select_related("backport__organisation", "backport__branch__repository")[: MOST + 1])
    if len(found) < 2:
        return None
    nodes, heads = _placed(found[:MOST])
    edges = list(_edges(nodes))
    width = 2 * MARGIN + len(heads) * (WIDTH + GAP_X) - GAP_X
    height = 2 * MARGIN + HEAD + len(nodes) * (HEIGHT + GAP_Y) - GAP_Y
    return Drawn(nodes, edges, heads, width, height, len(found) > MOST)


def _placed(versions: Sequence[BackportVersion]) -> tuple[list[Node], list[tuple[int, str, str]]]:
    """Each version in its backport's column, on a row of its own in the order of time."""
    columns: dict[object, int] = {}
    heads: list[tuple[int, str, str]] = []
    nodes = []
    for row, version in enumerate(versions):
        backport = version.backport
        if backport.pk not in columns:
            columns[backport.pk] = MARGIN + len(columns) * (WIDTH + GAP_X)
            heads.append((columns[backport.pk], backport.branch.name, backport.organisation.name))
        label = f"{backport.branch.name} v{version.number}"
        y = MARGIN + HEAD + row * (HEIGHT + GAP_Y)
        nodes.append(Node(version, label, backport.organisation.name, columns[backport.pk], y))
    return nodes, heads


def _edges(nodes: Sequence[Node]) -> Iterator[Edge]:
    by_pk: dict[UUID | None, Node] = {node.version.pk: node for node in nodes}
    last: dict[object, Node] = {}
    for at, node in enumerate(nodes):
        version = node.version
        said = by_pk.get(version.derived_from_id)
        before = last.get(version.backport_id)
        if said is not None:
            yield Edge(said, node, "said", "begun with")
        if before is not None and before is not said:
            yield Edge(before, node, "next", "follows")
        if said is None and before is None and (akin := _most_akin(node, nodes[:at])) is not None:
            yield akin
        last[version.backport_id] = node


def _most_akin(node: Node, earlier: Sequence[Node]) -> Edge | None:
    """The earlier version of another backport that holds most of this one's hunks, the newest of equals."""
    mine = set(node.version.hunk_keys)
    shares: dict[float, Node] = defaultdict()
    for other in earlier:
        shares[len(mine & set(other.version.hunk_keys)) / len(mine) if mine else 0.0] = other
    best = max(shares, default=0.0)
    if best < AKIN:
        return None
    same = round(best * len(mine))
    return Edge(shares[best], node, "akin", f"has {same} of its {len(mine)} hunks in common with")
