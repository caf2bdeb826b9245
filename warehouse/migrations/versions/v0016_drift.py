"""Unknown columns kept aside, site mappings."""

from warehouse.migrations.pages import run_pages

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL pages 0016_*."""
    run_pages("0016", "0017")
