"""The do-not-link list, and the ordinary and the restricted review queue."""

from warehouse.migrations.pages import run_pages

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL pages 0018_*."""
    run_pages("0018", "0019")
