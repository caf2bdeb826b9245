"""Since when a supplier's key has another bearer, so that work of the former one is not told as the new one's."""

from warehouse.migrations.pages import run_pages

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL pages 0022_*."""
    run_pages("0022", "0023")
