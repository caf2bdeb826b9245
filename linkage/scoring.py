"""Score candidates with Splink itself: the peer that the compiled statement must equal, and the way out for larger
councils.

Nightly runs use `compiled.py`, which holds the same model in one statement; a test compares the two on every candidate.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from linkage.model import Model

if TYPE_CHECKING:
    import duckdb
    from splink import DuckDBAPI, Linker

# What Splink must not be given: it prepares these columns itself.
_FREQUENCIES = ("forename", "surname", "full_name")


def open_linker(calculation: duckdb.DuckDBPyConnection, settings: dict[str, object]) -> tuple[Linker, DuckDBAPI]:
    """A Splink linker over the table `standard`, with the frozen name frequencies registered, and its database door."""
    from splink import DuckDBAPI, Linker

    api = DuckDBAPI(connection=calculation)
    columns = ", ".join(f"tf_{name}" for name in _FREQUENCIES)
    calculation.execute(f"create or replace table standard_for_splink as select * exclude ({columns}) from standard")
    nodes = api.register("standard_for_splink", dataset_display_name="standardised_record")
    linker = Linker(nodes, settings)
    logging.getLogger("splink").setLevel(logging.ERROR)  # Splink sets its own level when it is imported
    for name in _FREQUENCIES:
        calculation.execute(f"""create or replace table frequency_of_{name} as
            select {name}, any_value(tf_{name}) as tf_{name} from standard where {name} is not null group by {name}""")
        lookup = api.register(f"frequency_of_{name}", dataset_display_name=f"lookup_{name}")
        linker.table_management.register_term_frequency_lookup(lookup, name)
    return linker, api


def score_with_splink(calculation: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Fill the table `splink_scored` (left_id, right_id, match_weight) for every row of `pair`, guards not applied."""
    linker, api = open_linker(calculation, dict(model.settings))
    calculation.execute("""create or replace table pair_for_splink as
        select left_id as join_key_l, right_id as join_key_r, '0' as match_key from pair""")
    pairs = api.register("pair_for_splink", dataset_display_name="candidate_pair")
    linker.table_management.register_blocked_pairs_for_predict(pairs)
    scored = linker.inference.predict()
    calculation.execute(f"""create or replace table splink_scored as
        select record_id_l as left_id, record_id_r as right_id, match_weight from {scored.physical_name}""")
