"""The steps of one trial in order; `linkage.trial.run` is the door to it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
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
from linkage.trial.learning import bits, learn, pattern_counts
from linkage.trial.levels import levels_of, random_pairs
from linkage.trial.numbering import number_by_content
from linkage.trial.priors import priors_for
from linkage.trial.refusal import Refused
from linkage.trial.telling import facts_of, sides_of

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from linkage.trial.roles import Roles
    from linkage.trial.run import Outcome, Progress, TrialSettings

_RANDOM_PAIRS, _LEAST_RANDOM_PAIRS, _RANDOM_PAIRS_PER_RECORD = 2_000_000, 500_000, 100
_FREQUENCY_FLOOR = 1e-6
_MANY_RECORDS = 200_000


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
        self.comparisons = comparisons_for(self.fields)
        if not self.comparisons:
            raise Refused("The files have no kind of evidence in common; give roles to columns that both have.")
        self.sizes = [c.table.num_rows for c in self.cleaned]
        self.size = sum(self.sizes)
        one, other = self.sizes[0], self.sizes[-1]
        self.possible = max(1, one * other if self.across else one * (one - 1) // 2)
        self.sides = sides_of(self.cleaned)
        self.con = duckdb.connect(
            config={
                "threads": self.settings.threads,
                "memory_limit": self.settings.memory_limit,
                "temp_directory": self.spill,
            }
        )
        if self.size > _MANY_RECORDS:
            _leave_room(self.con)
        self.row = number_by_content(self.con, self.cleaned, self.fields)
        self.ids = pa.concat_arrays([part for c in self.cleaned for part in _chunks(c.ids)]).take(pa.array(self.row))
        self.cleaned = [replace(c, table=c.table.slice(0, 0)) for c in self.cleaned]

    def _choose_pairs(self) -> None:
        self._step("cleaning", self.size, "records")
        self.tell("choosing pairs", 0.1)
        self.uses = make_candidates(self.con, self.fields, across=self.across, within=self.within)
        found = self.con.execute(
            "select left_id::integer as left_id, right_id::integer as right_id, rule, without"
            " from candidate order by candidate.left_id, candidate.right_id"
        ).fetchnumpy()
        self.left, self.right = found["left_id"], found["right_id"]
        self.rule, self.without = found["rule"], found["without"]

    def _learn(self) -> None:
        self._step("choosing pairs", len(self.left), "pairs")
        self.tell("comparing pairs", 0.3)
        count = min(_RANDOM_PAIRS, max(_LEAST_RANDOM_PAIRS, _RANDOM_PAIRS_PER_RECORD * self.size))
        random_pairs(self.con, self.sizes, count=count, possible=self.possible, seed=self.settings.seed)
        random = levels_of(self.con, "random_pair", self.comparisons)
        self.levels = levels_of(self.con, "candidate", self.comparisons)
        self.groups = groups_for(self.comparisons)
        self.cells = cells(self.levels.patterns, self.groups)
        self.tell("learning", 0.6)
        guard = self._guard_bits
        if self.settings.model:
            self.weights = weights_from(self.settings.model, self.groups)
        else:
            strangers = pattern_counts(cells(random.patterns, self.groups), random.counts)
            candidates = pattern_counts(self.cells, self.levels.counts)
            priors = priors_for(self.comparisons, self.groups)
            self.weights = learn(candidates, strangers, self.groups, priors, possible=self.possible, guard=guard)
        self._step("learning", len(self.left), "pairs")
        self.weight = (bits(self.cells, self.weights) + self._guard_bits(self.cells))[self.levels.pattern]
        groups = average_linkage(self.size, self.left, self.right, self.weight)
        self.frequencies = {c: frequency_of(self._column(c), groups) for c in frequency_columns(self.comparisons)}
        self._add_frequency_bits()

    def _column(self, name: str) -> pa.ChunkedArray:
        """A cleaned column, in the order of the records' numbers."""
        return self.con.sql(f"select {name} from standard order by record_id").to_arrow_table().column(0)

    def _guard_bits(self, rows: NDArray[np.uint16]) -> NDArray[np.float64]:
        import numpy as np

        return np.where(relatives(rows, self.groups, self.comparisons), RELATIVES_BITS, 0.0)

    def _add_frequency_bits(self) -> None:
        import numpy as np

        patterns, pattern = self.levels.patterns, self.levels.pattern
        for group in self.groups:
            # In a group the first field that agrees and has a frequency speaks for all: a place follows its postcode.
            free = np.ones(len(patterns), dtype=bool)
            for part in group.parts:
                known = [v for v in self.comparisons[part.column]["comparison_levels"] if not v.get("is_null_level")]
                for number, level in enumerate(known):
                    name = level.get("tf_adjustment_column")
                    if not name:
                        continue
                    here = free & (patterns[:, part.column] == number)
                    at = np.flatnonzero(here[pattern])
                    frequency: Frequency = self.frequencies[name]
                    common = np.maximum(frequency.share[self.left[at]], frequency.share[self.right[at]])
                    self.weight[at] += np.log2(frequency.expected) - np.log2(np.maximum(common, _FREQUENCY_FLOOR))
                    free &= ~here

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
        rules = pa.array([use.rule.name for use in self.uses], pa.string())
        links = pa.table(
            {
                "left_id": self.ids.take(pa.array(self.left[chosen])),
                "right_id": self.ids.take(pa.array(self.right[chosen])),
                "weight": self.weight[chosen],
                "rule": rules.take(pa.array(self.rule[chosen])),
                "cluster": groups[self.left[chosen]],
            }
        )
        in_file = np.argsort(self.row)  # as the files have them
        sides = pa.array(["left"] * self.sizes[0] + ["right"] * (self.size - self.sizes[0]), pa.string())
        clusters = pa.table({"side": sides, "id": self.ids.take(pa.array(in_file)), "cluster": groups[in_file]})
        self._step("deciding", len(chosen), "links")
        model = model_of(self.comparisons, self.groups, self.weights, self.uses, two_files=self.across)
        return Outcome(links, clusters, model, facts_of(self, chosen, groups))

    def _step(self, name: str, rows: int, of: str) -> None:
        now = time.perf_counter()
        self.steps.append({"step": name, "rows": rows, "of": of, "seconds": round(now - self.clock, 3)})
        self.clock = now


def _chunks(column: pa.Array | pa.ChunkedArray) -> Iterable[pa.Array]:
    return list(getattr(column, "chunks", [column]))


def _leave_room(con: duckdb.DuckDBPyConnection) -> None:
    """Half of the memory to the database, which then uses the disk: the pairs beside it need the other half."""
    number, unit = str(con.execute("select current_setting('memory_limit')").fetchall()[0][0]).split()
    con.execute(f"set memory_limit = '{float(number) / 2:.2f}{unit}'")
