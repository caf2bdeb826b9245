"""The steps of one trial in order; `linkage.trial.run` is the door to it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from linkage.agglomerate import average_linkage
from linkage.trial.blocks import CANDIDATES, choose_rules, make_candidates
from linkage.trial.cleaning import Cleaned, Cleaner
from linkage.trial.comparisons import comparisons_for, frequency_columns
from linkage.trial.deciding import SURE, decide
from linkage.trial.export import model_of, weights_from
from linkage.trial.frequencies import Frequency, frequency_of
from linkage.trial.groups import cells, groups_for
from linkage.trial.guards import guard_bits, moved_bits
from linkage.trial.learning import Weights, bits, learn, pattern_counts
from linkage.trial.levels import levels_of, random_pairs
from linkage.trial.numbering import number_by_content
from linkage.trial.pairs import Pairs, read_pairs, together
from linkage.trial.priors import priors_for
from linkage.trial.refusal import Refused
from linkage.trial.telling import facts_of, side_of

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from linkage.trial.roles import Roles
    from linkage.trial.run import Outcome, Progress, TrialSettings

_RANDOM_PAIRS, _LEAST_RANDOM_PAIRS, _RANDOM_PAIRS_PER_RECORD = 2_000_000, 500_000, 100
_FREQUENCY_FLOOR = 1e-6
_MANY_RECORDS = 100_000
#: Of many records, rules that make no more pairs than this together look at all of them; dearer ones at the open ones.
_FIRST_PAIRS_PER_RECORD = 3


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
        cleaners = [Cleaner(t, roles, use_identifiers=self.settings.use_identifiers) for t, roles in self.files]
        self.sizes = [table.num_rows for table, _ in self.files]
        self.size = sum(self.sizes)
        self.files = ()
        one, other = self.sizes[0], self.sizes[-1]
        self.possible = max(1, one * other if self.across else one * (one - 1) // 2)
        self.con = duckdb.connect(
            f"{self.spill}/trial.duckdb",
            config={
                "threads": self.settings.threads,
                "memory_limit": self.settings.memory_limit,
                "temp_directory": self.spill,
                "preserve_insertion_order": False,
            },
        )
        if self.size > _MANY_RECORDS:
            _leave_room(self.con)
        self.sides, self.cleaned, ids = list[dict[str, Any]](), list[Cleaned](), list[pa.Array]()
        for side, cleaner in enumerate(cleaners):
            first = sum(self.sizes[:side])
            slices = [self._loaded(one) for one in cleaner.slices(side=side, first=first)]
            self.cleaned.append(slices[0])
            self.sides.append(side_of(side, slices, cleaner.placeholders))
            ids += [one.ids for one in slices]
        del cleaners
        self.fields = [f for f in self.cleaned[0].fields if all(f in c.fields for c in self.cleaned)]
        self.comparisons = comparisons_for(self.fields)
        if not self.comparisons:
            raise Refused("The files have no kind of evidence in common; give roles to columns that both have.")
        self.row = number_by_content(self.con, self.fields)
        self.ids = pa.concat_arrays(ids).take(pa.array(self.row))

    def _loaded(self, slice_: Cleaned) -> Cleaned:
        """Put the records of a slice into the table `cleaned`, by the names of their columns; give back the rest."""
        self.con.register("slice", slice_.table)
        exists = self.con.execute("select count(*) from duckdb_tables() where table_name = 'cleaned'").fetchall()[0][0]
        if not exists:
            self.con.execute("create table cleaned as from slice limit 0")
        known = {name for name, *_ in self.con.execute("describe cleaned").fetchall()}
        for name, kind, *_ in self.con.execute("describe slice").fetchall():
            if name not in known:
                self.con.execute(f"alter table cleaned add column {name} {kind}")
        self.con.execute("insert into cleaned by name from slice")
        self.con.unregister("slice")
        return replace(slice_, table=slice_.table.slice(0, 0))

    def _choose_pairs(self) -> None:
        self._step("cleaning", self.size, "records")
        self.tell("choosing pairs", 0.1)
        self.uses = choose_rules(self.con, self.fields, across=self.across, within=self.within)
        used = [(number, use) for number, use in enumerate(self.uses) if use.is_used]
        self.first, self.later = used, used[:0]
        if self.across and self.size > _MANY_RECORDS:
            reached = list(accumulate(use.pairs for _, use in used))
            cheap = sum(1 for pairs in reached if pairs <= _FIRST_PAIRS_PER_RECORD * self.size)
            self.first, self.later = used[:cheap], used[cheap:]
        make_candidates(self.con, self.first, across=self.across, within=self.within)

    def _learn(self) -> None:
        self._step("choosing pairs", sum(use.pairs for _, use in self.first), "pairs")
        self.tell("comparing pairs", 0.3)
        count = min(_RANDOM_PAIRS, max(_LEAST_RANDOM_PAIRS, _RANDOM_PAIRS_PER_RECORD * self.size))
        random_pairs(self.con, self.sizes, count=count, possible=self.possible, seed=self.settings.seed)
        random = levels_of(self.con, "random_pair", self.comparisons)
        self.groups = groups_for(self.comparisons)
        strangers = pattern_counts(cells(random.patterns, self.groups), random.counts)
        del random
        self._take(read_pairs(self.con, CANDIDATES, self.comparisons))
        self._weigh(strangers)
        if self.later:
            self._look_again()
            self._weigh(strangers)
        self._step("learning", len(self.left), "pairs")
        groups = average_linkage(self.size, self.left, self.right, self.weight)
        self.frequencies = {c: frequency_of(self._column(c), groups) for c in frequency_columns(self.comparisons)}
        self._add_frequency_bits()

    def _take(self, pairs: Pairs) -> None:
        self.pairs = pairs
        self.left, self.right, self.rule, self.without = pairs.left, pairs.right, pairs.rule, pairs.without
        self.levels, self.cells = pairs.levels, cells(pairs.levels.patterns, self.groups)

    def _weigh(self, strangers: tuple[NDArray[np.uint16], NDArray[np.float64]]) -> None:
        """Learn from the pairs there are, or take the model's weights; weigh every pair but for frequencies."""
        self.tell("learning", 0.6)
        if self.settings.model:
            self.weights = weights_from(self.settings.model, self.groups)
        else:
            candidates = pattern_counts(self.cells, self.levels.counts)
            priors = priors_for(self.comparisons, self.groups)
            self.weights = learn(
                candidates,
                strangers,
                self.groups,
                priors,
                possible=self.possible,
                guard=partial(self._beside, learning=True),
            )
        self.weight = (bits(self.cells, self.weights) + self._beside(self.cells, self.weights))[self.levels.pattern]

    def _look_again(self) -> None:
        """The dearer rules, for records that no pair beyond doubt has settled: of the file most of which is settled."""
        import numpy as np
        import pyarrow as pa

        sure = self.weight >= SURE
        settled = max(
            (np.unique(side[sure]) for side in (self.left, self.right)),
            key=lambda found: len(found) / self.sizes[int(len(found) > 0 and found[0] >= self.sizes[0])],
        )
        self.con.register("settled", pa.table({"record_id": settled}))
        make_candidates(self.con, self.later, across=True, within=False, table="later", settled="settled")
        self.con.execute("create or replace table more as from later anti join candidate using (left_id, right_id)")
        self.con.unregister("settled")
        self._take(together(self.pairs, read_pairs(self.con, "more", self.comparisons)))

    def _column(self, name: str) -> pa.ChunkedArray:
        """A cleaned column, in the order of the records' numbers."""
        return self.con.sql(f"select {name} from standard order by record_id").to_arrow_table().column(0)

    def _beside(self, rows: NDArray[np.uint16], weights: Weights, *, learning: bool = False) -> NDArray[np.float64]:
        """What every row of cells gets beside the weights of its levels."""
        given = guard_bits(rows, self.groups, self.comparisons, learning=learning)
        return given + moved_bits(rows, self.groups, self.comparisons, weights)

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
        self.decision = decide(
            self.sizes, self.left, self.right, self.weight, cut=self.settings.cut,
            one_to_one_wished=self.settings.one_to_one,
        )  # fmt: skip
        chosen, groups = self.decision.chosen, self.decision.groups
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


def _leave_room(con: duckdb.DuckDBPyConnection) -> None:
    """A quarter of the memory to the database, which then uses the disk: what stands beside it needs the rest."""
    number, unit = str(con.execute("select current_setting('memory_limit')").fetchall()[0][0]).split()
    con.execute(f"set memory_limit = '{float(number) / 4:.2f}{unit}'")
