"""What a link run had read, so that the next knows which records are somebody else since."""

from warehouse.migrations.pages import run_pages

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL pages 0021_*."""
    run_pages("0021", "0022")
