"""Zones, roles, ledger, identity, payload, core, release and returns views: the first shape of the warehouse."""

from warehouse.migrations.pages import run_pages

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL pages 0001 to 0009."""
    run_pages("0001", "0010")
