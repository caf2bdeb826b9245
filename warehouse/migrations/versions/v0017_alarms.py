"""Incidents, notices about who is who, reviewed columns."""

from warehouse.migrations.pages import run_pages

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL pages 0017_*."""
    run_pages("0017", "0018")
