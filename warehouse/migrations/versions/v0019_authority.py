"""The do-not-trace list, and who agreed to a decision or took it back."""

from warehouse.migrations.pages import run_pages

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL pages 0019_*."""
    run_pages("0019", "0020")
