"""SystmOne's further activity: stays, plans, assessments, safeguarding, opt-out preference."""

from warehouse.migrations.pages import run_pages

revision = "0010"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL pages 0010_*."""
    run_pages("0010", "0011")
