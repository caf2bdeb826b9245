"""Runs the numbered SQL pages of a migration in their order; a migration file says which numbers are its own."""

from __future__ import annotations

from importlib.resources import files

from alembic import op

from governance.sql import run_page


def run_pages(first: str, end: str) -> None:
    """Run every page of `warehouse/migrations/sql` whose name lies from `first` up to, not including, `end`."""
    connection = op.get_bind()
    folder = files("warehouse") / "migrations" / "sql"
    for page in sorted(folder.iterdir(), key=lambda p: p.name):
        if page.name.endswith(".sql") and first <= page.name < end:
            run_page(connection, page.read_text(encoding="utf-8"))
