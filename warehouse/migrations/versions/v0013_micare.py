"""MiCare."""

from warehouse.migrations.pages import run_pages

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL pages 0013_*."""
    run_pages("0013", "0014")
