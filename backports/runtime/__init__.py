"""Process plumbing: the embedded PostgreSQL server, the supervisor, and the health of the parts.

Knows neither models nor services. Only `health` needs Django; the rest runs on the standard library alone, so
that the settings can ask it for connection values.
"""
