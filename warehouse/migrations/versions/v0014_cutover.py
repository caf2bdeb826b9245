"""A supplier replaced by another: cross-references, origins of re-created services."""

from warehouse.migrations.pages import run_pages

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL pages 0014_*."""
    run_pages("0014", "0015")
