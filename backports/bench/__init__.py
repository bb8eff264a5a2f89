"""`manage.py bench`: the product on a real clone, and what plain git takes for the same work."""
