"""The demo: a small project of our own making with a history, and advisories about it.

Free of Django. `build_repository` writes a bare git repository, `advisories` what was published about it in the layout
that Xen uses, and `sign` clear-signs the texts with a demo key. All but the signatures is the same to the byte.
"""

from .advisories import DemoAdvisory, DemoAdvisoryVersion, advisories, index, make_key, sign
from .repository import DemoRepository, build_repository

__all__ = [
    "DemoAdvisory",
    "DemoAdvisoryVersion",
    "DemoRepository",
    "advisories",
    "build_repository",
    "index",
    "make_key",
    "sign",
]
