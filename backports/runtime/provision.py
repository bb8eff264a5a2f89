"""The roles and the database: `provision.sql`, for psql, is the same for the embedded server and for any other."""

from __future__ import annotations

from pathlib import Path

DATABASE = "backports"
OWNER = "backports_owner"
APP = "backports_app"

SQL = (Path(__file__).parent / "provision.sql").read_text()
