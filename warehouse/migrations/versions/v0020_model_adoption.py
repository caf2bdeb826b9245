"""Difference reports between model versions, and who approved a version for the council."""

from warehouse.migrations.pages import run_pages

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL pages 0020_*."""
    run_pages("0020", "0021")
