"""REST, /api/v1: a file per noun over one base class (`base.Endpoint`), which denies what is not declared."""
