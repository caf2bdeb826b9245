"""The names of the data assets, once. A task that updates one tells the next stage; nothing waits for a clock."""

from airflow.sdk import Asset

CHECKED_SYSTMONE = Asset("checked_systmone", uri="onestory://checked/systmone")
CHECKED_LIQUIDLOGIC = Asset("checked_liquidlogic", uri="onestory://checked/liquidlogic")
CHECKED_CAREFIRST = Asset("checked_carefirst", uri="onestory://checked/carefirst")
LINKED_IDENTITIES = Asset("linked_identities", uri="onestory://linked/identities")
WAREHOUSE_RELEASE = Asset("warehouse_release", uri="onestory://warehouse/release")
CLIENT_LEVEL_DATA = Asset("client_level_data", uri="onestory://returns/client_level_data")
