"""Records numbered by what they say, not by where they stand: so that shuffled rows give the same links.

Every draw, tie and sum of a trial follows these numbers; of records that say the same, the id decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray


def number_by_content(con: duckdb.DuckDBPyConnection, fields: Sequence[str]) -> NDArray[np.int64]:
    """Make the table `standard` (record_id, side, fields) of the table `cleaned`, in the order of its numbers.

    `cleaned` has row_in_file, side, id and the fields, and is gone afterwards; the left file comes first. Gives back,
    for each record number, the row it has when the files stand one after the other.
    """
    import numpy as np

    names = ", ".join(fields)
    con.execute(f"""create temp table numbered as
        select row_number() over (order by side, mark, id, row_in_file) - 1 as record_id, row_in_file
          from (select side, md5_number(row({names})::varchar) as mark, id, row_in_file from cleaned)""")
    con.execute(f"""create table standard as
        select n.record_id, s.side, {names} from cleaned s join numbered n using (row_in_file) order by n.record_id""")
    con.execute("drop table cleaned")
    found = con.execute("select row_in_file from numbered order by record_id").fetchnumpy()
    con.execute("drop table numbered")
    return np.asarray(found["row_in_file"], dtype=np.int64)
