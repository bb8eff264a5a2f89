"""Mirrors, trees, history and results: pygit2 for objects, one runner for the git binary.

Nothing here imports Django or Celery. Paths inside trees are `str`, decoded as UTF-8 with
`surrogateescape`; oids are 40 lower-case hex digits; dates are aware and in UTC.
"""
