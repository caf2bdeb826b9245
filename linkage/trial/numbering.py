"""Records numbered by what they say, not by where they stand: so that shuffled rows give the same links.

Every draw, tie and sum of a trial follows these numbers; of records that say the same, the id decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from linkage.trial.cleaning import Cleaned

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray


def number_by_content(
    con: duckdb.DuckDBPyConnection, cleaned: Sequence[Cleaned], fields: Sequence[str]
) -> NDArray[np.int64]:
    """Make the table `standard` (record_id, side, fields) in the order of its numbers, the left file first.

    Gives back, for each record number, the row it has when the files stand one after the other.
    """
    import numpy as np

    names = ", ".join(fields)
    sources = []
    for side, made in enumerate(cleaned):
        con.register(f"cleaned_{side}", made.table.select(["record_id", "side", *fields]).append_column("id", made.ids))
        sources.append(f"select record_id as row_in_file, side, id, {names} from cleaned_{side}")
    con.execute(f"""create temp table numbered as
        select row_number() over (order by side, md5(row({names})::varchar), id, row_in_file) - 1 as record_id,
               row_in_file from ({" union all ".join(sources)})""")
    con.execute(f"""create table standard as
        select n.record_id, s.side, {names} from ({" union all ".join(sources)}) s
          join numbered n using (row_in_file) order by n.record_id""")
    found = con.execute("select row_in_file from numbered order by record_id").fetchnumpy()
    for side in range(len(cleaned)):
        con.unregister(f"cleaned_{side}")
    con.execute("drop table numbered")
    return np.asarray(found["row_in_file"], dtype=np.int64)
