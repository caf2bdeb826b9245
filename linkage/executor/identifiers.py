"""Equal identifiers first, never unchecked: a wrong but valid number is worse than none (handbook 5).

A pair of one number is accepted where the demographics agree too, and where the number stands once in each file; its
records then need no comparing. What is refused stays with the others: blocking may still find it on better grounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from linkage.executor.expressions import Tree, parse_level, side_column, sql
from linkage.executor.joins import Meeting

if TYPE_CHECKING:
    import duckdb

IDENTIFIED = "identifier_pair"


@dataclass(frozen=True, slots=True)
class IdentifierStage:
    """Which column identifies a person, and how much the rest has to agree before it is believed.

    `agreement` is SQL over `<column>_l` and `<column>_r` that gives points and never missing; `demographic` writes the
    usual one. `settles_both` False leaves the right file's settled records open, for files with duplicates within.
    `weigh` False leaves the model's weight of pairs accepted between two files empty: cheaper, when nobody asks for it.
    """

    column: str
    agreement: str
    accept_at: int = 2
    settles_both: bool = True
    weigh: bool = True

    @classmethod
    def demographic(
        cls,
        column: str,
        *,
        birth_date: str | None = None,
        forename: str | None = None,
        surname: str | None = None,
        postcode: str | None = None,
        nicknames: str | None = None,
        accept_at: int = 2,
        settles_both: bool = True,
        weigh: bool = True,
    ) -> IdentifierStage:
        """The points of the handbook (5): birth date equal 2, nearly 1; each name alike 1; exchanged 2; postcode 1.

        Surname and postcode alone give nothing: that is a husband or wife whose number was written down. Birth dates
        are dates or text year first; `nicknames` is a list column of the names a forename may stand for.
        """
        own, shared = [], []  # what is a person's own, and what a household shares
        if birth_date is not None:
            own.append(_birth_date_points(birth_date))
        if forename is not None:
            shared_name = [] if nicknames is None else [f'list_has_any("{nicknames}_l", "{nicknames}_r")']
            own.append(_point(*_alike(forename), *shared_name))
        if forename is not None and surname is not None:
            own.append(
                f'case when "{forename}_l" = "{surname}_r" and "{surname}_l" = "{forename}_r"'
                f' and "{forename}_l" <> "{surname}_l" then 2 else 0 end'
            )
        if surname is not None:
            shared.append(_point(*_alike(surname)))
        if postcode is not None:
            shared.append(_point(f'"{postcode}_l" = "{postcode}_r"'))
        if not own:
            return cls(column, "0", accept_at, settles_both, weigh)
        personal = f"({' + '.join(own)})"
        # A product, not a CASE: the database works the personal points out once (measured).
        agreement = f"({' + '.join([personal, *shared])}) * sign({personal})"
        return cls(column, agreement, accept_at, settles_both, weigh)


def stage_trees(stage: IdentifierStage) -> list[Tree]:
    """What the stage reads of the records."""
    return [
        parse_level(stage.agreement),
        side_column(stage.column.lower(), "l"),
        side_column(stage.column.lower(), "r"),
    ]


def find_identified(
    con: duckdb.DuckDBPyConnection, stage: IdentifierStage, meeting: Meeting, *, once: bool
) -> tuple[int, int]:
    """Fill the table `identifier_pair`; give back how many pairs were found and how many accepted.

    Its columns: l, r (rows of the prepared tables), left_id, right_id, agreement, accepted. With `once` (two files to
    be linked) a number that stands more than once on either side is never accepted.
    """
    agreement, number = sql(parse_level(stage.agreement)), f'"{stage.column.lower()}"'
    alone = "count(*) over (partition by number) = 1" if once else "true"
    order = " and ".join(("true", *meeting.order))
    con.execute(f"""
        create or replace temp table {IDENTIFIED} as
        with met as (
          select l.rowid::uinteger as l, r.rowid::uinteger as r, l."__id" as left_id, r."__id" as right_id,
                 l.{number} as number, ({agreement}) as agreement
            from {meeting.left} l join {meeting.right} r on l.{number} = r.{number} where {order}
        )
        select l, r, left_id, right_id, agreement, agreement >= {stage.accept_at} and {alone} as accepted from met""")
    found = con.execute(f"select count(*), count(*) filter (where accepted) from {IDENTIFIED}").fetchall()[0]
    return int(found[0]), int(found[1])


def _alike(column: str) -> tuple[str, str]:
    left, right = f'"{column}_l"', f'"{column}_r"'
    return f"{left} = {right}", f"jaro_winkler_similarity({left}, {right}) >= 0.88"


def _point(*ways: str) -> str:
    """One point for any of the ways, the dearer ones asked only where the others fail."""
    return f"case {' '.join(f'when {way} then 1' for way in ways)} else 0 end"


def _birth_date_points(column: str) -> str:
    left, right = (f"replace(cast(\"{column}_{side}\" as varchar), '-', '')" for side in "lr")
    near = (
        f"case when strlen({left}) = 8 and strlen({right}) = 8 then hamming({left}, {right}) = 1"
        f" or (left({left}, 4) = left({right}, 4) and substr({left}, 5, 2) = substr({right}, 7, 2)"
        f" and substr({left}, 7, 2) = substr({right}, 5, 2)) else false end"
    )
    return f'case when "{column}_l" = "{column}_r" then 2 when {near} then 1 else 0 end'
