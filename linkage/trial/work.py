"""The steps of one trial in order; `linkage.trial.run` is the door to it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from linkage.agglomerate import MISSING_PAIR, average_linkage
from linkage.trial.blocks import make_candidates
from linkage.trial.cleaning import Cleaned, clean
from linkage.trial.comparisons import comparisons_for, frequency_columns
from linkage.trial.deciding import (
    GROUP_CUT,
    LINK_CUT,
    best_partners,
    components,
    holds_nobody_twice,
    one_to_one,
    part_weak_couples,
)
from linkage.trial.export import model_of, weights_from
from linkage.trial.frequencies import Frequency, frequency_of
from linkage.trial.groups import RELATIVES_BITS, cells, groups_for, relatives
from linkage.trial.learning import bits, learn
from linkage.trial.levels import levels_of, random_pairs
from linkage.trial.refusal import Refused
from linkage.trial.telling import facts_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from linkage.trial.roles import Roles
    from linkage.trial.run import Outcome, Progress, TrialSettings

_RANDOM_PAIRS, _LEAST_RANDOM_PAIRS, _RANDOM_PAIRS_PER_RECORD = 2_000_000, 500_000, 100
_FREQUENCY_FLOOR = 1e-6


class Work:
    """One trial under way."""

    def __init__(
        self, files: Sequence[tuple[pa.Table, Roles]], settings: TrialSettings, progress: Progress | None
    ) -> None:
        self.files, self.settings = files, settings
        self.tell = progress or (lambda step, share: None)
        self.steps: list[dict[str, Any]] = []
        self.clock = time.perf_counter()
        self.across = len(files) == 2
        self.within = not self.across

    def outcome(self) -> Outcome:
        """All steps. Raises `Refused` when the files have no field to compare in common."""
        from tempfile import TemporaryDirectory

        with TemporaryDirectory(prefix="linkage-trial-") as self.spill:
            self._prepare()
            try:
                self._choose_pairs()
                self._learn()
            finally:
                self.con.close()
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
        self.con = duckdb.connect(
            config={
                "threads": self.settings.threads,
                "memory_limit": self.settings.memory_limit,
                "temp_directory": self.spill,
            }
        )
        self.con.register("standard_columns", self.standard)
        self.con.execute("create table standard as from standard_columns")
        self.comparisons = comparisons_for(self.fields)
        if not self.comparisons:
            raise Refused("The files have no kind of evidence in common; give roles to columns that both have.")
        counts = [c.table.num_rows for c in self.cleaned]
        self.possible = counts[0] * counts[1] if self.across else max(1, counts[0] * (counts[0] - 1) // 2)

    def _choose_pairs(self) -> None:
        self._step("cleaning", self.size, "records")
        self.tell("choosing pairs", 0.1)
        self.uses = make_candidates(self.con, self.fields, across=self.across, within=self.within)
        found = self.con.execute(
            "select left_id, right_id, rule, without from candidate order by left_id, right_id"
        ).fetchnumpy()
        self.left, self.right = found["left_id"], found["right_id"]
        self.rule, self.without = found["rule"], found["without"]

    def _learn(self) -> None:
        import numpy as np

        self._step("choosing pairs", len(self.left), "pairs")
        self.tell("comparing pairs", 0.3)
        sizes = [c.table.num_rows for c in self.cleaned]
        count = min(
            _RANDOM_PAIRS, max(_LEAST_RANDOM_PAIRS, _RANDOM_PAIRS_PER_RECORD * self.size), 4 * self.possible + 1
        )
        random_pairs(self.con, sizes, count=count, seed=self.settings.seed)
        random = levels_of(self.con, "random_pair", self.comparisons)
        self.levels = levels_of(self.con, "candidate", self.comparisons)
        self.groups = groups_for(self.comparisons)
        self.cells = cells(self.levels, self.groups)
        self.tell("learning", 0.6)
        guard = self._guard_bits
        if self.settings.model:
            self.weights = weights_from(self.settings.model, self.groups)
        else:
            strangers = cells(random, self.groups)
            self.weights = learn(self.cells, strangers, self.groups, possible=self.possible, guard=guard)
        self._step("learning", len(self.left), "pairs")
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
        cut = self.settings.cut
        self.one_to_one = False
        if self.across:
            self.cut = LINK_CUT if cut is None else cut
            wish = self.settings.one_to_one
            self.one_to_one = holds_nobody_twice(self.left, self.right, self.weight) if wish is None else wish
            way = one_to_one if self.one_to_one else best_partners
            chosen = way(self.left, self.right, self.weight, self.cut)
            groups = components(self.size, self.left[chosen], self.right[chosen])
        else:
            self.cut = GROUP_CUT if cut is None else max(cut, MISSING_PAIR + 1)
            groups = average_linkage(self.size, self.left, self.right, self.weight, stop=self.cut)
            if cut is None:
                groups = part_weak_couples(groups, self.left, self.right, self.weight, LINK_CUT)
            chosen = np.flatnonzero(groups[self.left] == groups[self.right])
        ids = pa.concat_arrays([c.ids.combine_chunks() if hasattr(c.ids, "combine_chunks") else c.ids
                                for c in self.cleaned])  # fmt: skip
        rules = pa.array([use.rule.name for use in self.uses], pa.string())
        links = pa.table(
            {
                "left_id": ids.take(pa.array(self.left[chosen])),
                "right_id": ids.take(pa.array(self.right[chosen])),
                "weight": self.weight[chosen],
                "rule": rules.take(pa.array(self.rule[chosen])),
                "cluster": groups[self.left[chosen]],
            }
        )
        sides = pa.array(["left", "right"]).take(self.standard.column("side").combine_chunks())
        clusters = pa.table({"side": sides, "id": ids, "cluster": groups})
        self._step("deciding", len(chosen), "links")
        model = model_of(self.comparisons, self.groups, self.weights, two_files=self.across)
        return Outcome(links, clusters, model, facts_of(self, chosen, groups))

    def _step(self, name: str, rows: int, of: str) -> None:
        now = time.perf_counter()
        self.steps.append({"step": name, "rows": rows, "of": of, "seconds": round(now - self.clock, 3)})
        self.clock = now
