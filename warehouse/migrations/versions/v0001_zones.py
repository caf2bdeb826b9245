"""Zones, roles, ledger, identity, payload, core, release and returns views: the first shape of the warehouse."""

from importlib.resources import files

from alembic import op

from governance.sql import run_page

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FIRST_OF_THE_NEXT = "0010"  # a page with a number from here on needs a migration of its own


def upgrade() -> None:
    """Run the SQL pages of this migration in their order."""
    connection = op.get_bind()
    folder = files("warehouse") / "migrations" / "sql"
    for page in sorted(folder.iterdir(), key=lambda p: p.name):
        if page.name.endswith(".sql") and page.name < FIRST_OF_THE_NEXT:
            run_page(connection, page.read_text(encoding="utf-8"))
