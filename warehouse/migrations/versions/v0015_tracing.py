"""Answers of the tracing service and of the opt-out check."""

from warehouse.migrations.pages import run_pages

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL pages 0015_*."""
    run_pages("0015", "0016")
