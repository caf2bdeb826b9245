"""The steps of one trial in order; `linkage.trial.run` is the door to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from linkage.agglomerate import average_linkage
from linkage.trial.blocks import make_candidates
from linkage.trial.cleaning import Cleaned, clean
from linkage.trial.comparisons import comparisons_for, frequency_columns
from linkage.trial.frequencies import Frequency, frequency_of
from linkage.trial.groups import RELATIVES_BITS, cells, groups_for, relatives
from linkage.trial.learning import bits, learn
from linkage.trial.levels import levels_of, random_pairs

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from linkage.trial.roles import Roles
    from linkage.trial.run import Outcome, Progress, TrialSettings

_RANDOM_PAIRS = 2_000_000
_FREQUENCY_FLOOR = 1e-6


class Work:
    """One trial under way."""

    def __init__(
        self, files: Sequence[tuple[pa.Table, Roles]], settings: TrialSettings, progress: Progress | None
    ) -> None:
        self.files, self.settings = files, settings
        self.tell = progress or (lambda step, share: None)
        self.steps: list[dict[str, Any]] = []
        self.across = len(files) == 2
        self.within = not self.across

    def outcome(self) -> Outcome:
        self._prepare()
        self._choose_pairs()
        self._learn()
        return self._decide()

    def _prepare(self) -> None:
        import duckdb
        import pyarrow as pa

        self.tell("cleaning", 0.0)
        first, self.cleaned = 0, list[Cleaned]()
        for side, (table, roles) in enumerate(self.files):
            made = clean(table, roles, side=side, first=first, use_identifiers=self.settings.use_identifiers)
            self.cleaned.append(made)
            first += table.num_rows
        self.fields = [f for f in self.cleaned[0].fields if all(f in c.fields for c in self.cleaned)]
        self.standard = pa.concat_tables([c.table.select(["record_id", "side", *self.fields]) for c in self.cleaned])
        self.size = self.standard.num_rows
        self.con = duckdb.connect(config={"threads": self.settings.threads, "memory_limit": self.settings.memory_limit})
        self.con.register("standard_columns", self.standard)
        self.con.execute("create table standard as from standard_columns")
        self.comparisons = comparisons_for(self.fields)
        counts = [c.table.num_rows for c in self.cleaned]
        self.possible = counts[0] * counts[1] if self.across else counts[0] * (counts[0] - 1) // 2

    def _choose_pairs(self) -> None:
        self.tell("choosing pairs", 0.1)
        self.uses = make_candidates(self.con, self.fields, across=self.across, within=self.within)
        found = self.con.execute(
            "select left_id, right_id, rule, without from candidate order by left_id, right_id"
        ).fetchnumpy()
        self.left, self.right = found["left_id"], found["right_id"]
        self.rule, self.without = found["rule"], found["without"]

    def _learn(self) -> None:
        import numpy as np

        self.tell("comparing pairs", 0.3)
        sizes = [c.table.num_rows for c in self.cleaned]
        random_pairs(self.con, sizes, count=_RANDOM_PAIRS, seed=self.settings.seed)
        self.random = random = levels_of(self.con, "random_pair", self.comparisons)
        self.levels = levels_of(self.con, "candidate", self.comparisons)
        self.groups = groups_for(self.comparisons)
        self.cells = cells(self.levels, self.groups)
        self.tell("learning", 0.6)
        self.weights = learn(
            self.cells, cells(random, self.groups), self.groups, possible=self.possible, guard=self._guard_bits
        )
        self.weight = bits(self.cells, self.weights) + self._guard_bits(self.cells)
        groups = average_linkage(self.size, self.left, self.right, self.weight)
        self.frequencies = {
            c: frequency_of(self.standard.column(c), groups) for c in frequency_columns(self.comparisons)
        }
        self.weight = self.weight + self._frequency_bits(np.arange(len(self.left)))

    def _guard_bits(self, rows: NDArray[np.uint16]) -> NDArray[np.float64]:
        import numpy as np

        return np.where(relatives(rows, self.groups, self.comparisons), RELATIVES_BITS, 0.0)

    def _frequency_bits(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        import numpy as np

        total = np.zeros(len(rows))
        for group in self.groups:
            # In a group the first field that agrees and has a frequency speaks for all: a place follows its postcode.
            free = np.ones(len(rows), dtype=bool)
            for part in group.parts:
                known = [v for v in self.comparisons[part.column]["comparison_levels"] if not v.get("is_null_level")]
                for number, level in enumerate(known):
                    name = level.get("tf_adjustment_column")
                    if not name:
                        continue
                    at = np.flatnonzero(free & (self.levels[rows, part.column] == number))
                    frequency: Frequency = self.frequencies[name]
                    common = np.maximum(frequency.share[self.left[rows[at]]], frequency.share[self.right[rows[at]]])
                    total[at] += np.log2(frequency.expected) - np.log2(np.maximum(common, _FREQUENCY_FLOOR))
                    free[at] = False
        return total

    def _decide(self) -> Outcome:
        import numpy as np
        import pyarrow as pa

        from linkage.trial.run import Outcome

        self.tell("deciding", 0.9)
        if self.across:
            chosen = one_to_one(self.left, self.right, self.weight, 0.0)
            groups = np.arange(self.size)
            groups[self.right[chosen]] = self.left[chosen]
        else:
            groups = average_linkage(self.size, self.left, self.right, self.weight)
            chosen = np.flatnonzero(groups[self.left] == groups[self.right])
        ids = pa.concat_arrays([c.ids.combine_chunks() if hasattr(c.ids, "combine_chunks") else c.ids
                                for c in self.cleaned])  # fmt: skip
        links = pa.table(
            {
                "left_id": ids.take(pa.array(self.left[chosen])),
                "right_id": ids.take(pa.array(self.right[chosen])),
                "weight": self.weight[chosen],
                "rule": self.rule[chosen],
                "cluster": groups[self.left[chosen]],
            }
        )
        clusters = pa.table({"side": self.standard.column("side"), "id": ids, "cluster": groups})
        return Outcome(links, clusters, {}, {})


def one_to_one(
    left: NDArray[np.int64], right: NDArray[np.int64], weight: NDArray[np.float64], cut: float
) -> NDArray[np.int64]:
    """Rows of the pairs at or above `cut` that remain when the strongest goes first and every record has one partner.

    Equal weights: the smaller numbers first.
    """
    import numpy as np

    rows = np.flatnonzero(weight >= cut)
    rows = rows[np.lexsort((right[rows], left[rows], -weight[rows]))]
    taken: set[int] = set()
    kept = []
    for row, one, other in zip(rows.tolist(), left[rows].tolist(), right[rows].tolist(), strict=True):
        if one not in taken and other not in taken:
            taken.update((one, other))
            kept.append(row)
    return np.array(sorted(kept), dtype=np.int64)
