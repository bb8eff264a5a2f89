"""The ladder: bytes in, frozen values out.

Nothing here opens a file, a socket or a repository, and nothing imports Django,
Celery or pygit2. A caller hands in patches as bytes and a `TreeReader`, and gets
back a `SeriesResult`:

    patches = diff.parse_series(data)
    result = ladder.apply_series(patches, tree, differ=git.tree.diff_lines)
"""
