"""Fixes of a version, taken away before others take their place."""

from __future__ import annotations

from xsa.models import AdvisoryVersion, Fix


def drop_fixes(version: AdvisoryVersion) -> None:
    """Delete a version's fixes, inside the caller's transaction.

    Locked first: an attempt that ends now and names one as its source is written before the
    deletion, which then empties that column, or sees that its source is gone.
    """
    held = Fix.objects.select_for_update().filter(version=version).order_by("pk")
    Fix.objects.filter(pk__in=list(held.values_list("pk", flat=True))).delete()
