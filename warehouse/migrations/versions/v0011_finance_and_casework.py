"""Involvements, safeguarding and DoLS of the care systems; finance lines of ContrOCC."""

from warehouse.migrations.pages import run_pages

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL pages 0011_*."""
    run_pages("0011", "0012")
