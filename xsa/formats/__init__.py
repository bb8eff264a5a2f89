"""Readers of what the Xen Project publishes: advisory texts, .meta files, xsa.json, signatures.

Bytes in, frozen values out. Nothing here knows Django, Celery, a database or a file system;
`bundle.read_bundle` puts the pieces of one advisory together.
"""
