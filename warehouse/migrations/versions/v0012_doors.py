"""What is left out at a source's door (children, unregistered tables) and how often a source may be asked."""

from warehouse.migrations.pages import run_pages

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL pages 0012_*."""
    run_pages("0012", "0013")
