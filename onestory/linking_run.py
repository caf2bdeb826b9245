"""One trial from files to files: read, understand, link, write. Says what it found as a summary without any value.

The steps are apart so that the guessed roles are on the screen before the long work begins.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from linkage.trial.alignment import check_difference, check_evidence, check_id, numbered, paired, with_birth_date
from linkage.trial.counted import counted
from linkage.trial.reading import Records, read_records
from linkage.trial.refusal import Refused
from linkage.trial.roles import Guess, Role, Roles, guess_roles, read_roles, write_roles
from linkage.trial.whole_file import agree
from linkage.trial.wording import reader_words

if TYPE_CHECKING:
    import pyarrow as pa

    from linkage.trial.facts import Progress, StepFacts
    from linkage.trial.run import Outcome

_LINKS = "links.parquet"


@dataclass(slots=True)
class Trial:
    """What was asked for, and what is known of the files so far."""

    paths: tuple[Path, ...]
    out: Path
    roles_file: Path | None
    model_file: Path | None
    ids: tuple[str, ...]
    settings: Mapping[str, Any]
    records: list[Records] = field(default_factory=list)
    guesses: list[Guess] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return "link" if len(self.paths) == 2 else "dedupe"

    def prepare(self, progress: Progress) -> None:
        """Read the files; a file without records is refused."""
        for place, path in enumerate(self.paths):
            progress(f"reading {path.name}", place / len(self.paths))
            records = read_records(path)
            if records.rows == 0:
                raise Refused(f"{path.name} has headings but no records; there is nothing to {self.kind}.")
            self.records.append(records)
            self.warnings += records.notes
        if self.kind == "dedupe" and self.records[0].rows == 1:
            self.warnings.append("The file holds one record, so there is nothing to compare it with.")

    def understand(self) -> None:
        """Decide what every column means and write it to roles.yml, so that it can be edited also after a refusal."""
        headings = [records.table.column_names for records in self.records]
        if self.roles_file is None:
            self.guesses = [guess_roles(records.table) for records in self.records]
            if self.kind == "link":
                self.guesses = list(agree(*self.guesses))
        else:
            said = read_roles(self.roles_file, headings[0], headings[1] if self.kind == "link" else None)
            self.guesses = [
                Guess(roles, tuple((column, f"said in {self.roles_file.name}") for column, _ in roles.columns))
                for roles in said
                if roles is not None
            ]
        self._take_ids()
        self.out.mkdir(parents=True, exist_ok=True)
        write_roles(self.out / "roles.yml", self.guesses[0], self.guesses[1] if self.kind == "link" else None)
        for records, guess in zip(self.records, self.guesses, strict=True):
            check_id(records.table, guess.roles, records.name)
        roles = [guess.roles for guess in self.guesses]
        if not self.settings["use_identifiers"]:
            roles = [_without_identifiers(one) for one in roles]
        names = [records.name for records in self.records]
        right = roles[1] if self.kind == "link" else None
        self.warnings += check_evidence(roles[0], right, names, str(self.out / "roles.yml"))
        for records, one in zip(self.records, roles, strict=True):
            self.warnings += check_difference(records.table, one, records.name)

    def _take_ids(self) -> None:
        for place, records in enumerate(self.records):
            if not self.ids:
                return
            column = self.ids[min(place, len(self.ids) - 1)]
            if column not in records.table.column_names:
                listed = ", ".join(records.table.column_names)
                raise typer.BadParameter(f"--id {column}: {records.name} has no such column; it has {listed}")
            guess = self.guesses[place]
            roles = guess.roles
            for other in roles.of(Role.ID):
                roles = roles.with_role(other, Role.IGNORE)
            why = tuple((c, "given by --id" if c == column else old) for c, old in guess.why)
            self.guesses[place] = Guess(roles.with_role(column, Role.ID), why)

    def finish(self, progress: Progress) -> dict[str, Any]:
        """Link, write everything to the folder, and return the summary."""
        watch = _Watch(progress)
        outcome = _in_words(self._outcome(watch.tell))
        watch.tell("writing", 0.98)
        files = self._write(outcome)
        return self._summarise(outcome, files, watch)

    def _outcome(self, progress: Progress) -> Outcome:
        from linkage.trial import run

        settings = run.TrialSettings(**self.settings, model=self._model())
        ready = [
            with_birth_date(*numbered(records.table, guess.roles))
            for records, guess in zip(self.records, self.guesses, strict=True)
        ]
        if self.kind == "dedupe" and self.records[0].rows < 2:
            return _nobody_to_compare(*ready[0])
        if self.kind == "dedupe":
            return run.dedupe(*ready[0], settings, progress=progress)
        (left, left_roles), (right, right_roles) = ready
        return run.link(left, right, *paired(left_roles, right_roles), settings, progress=progress)

    def _model(self) -> Mapping[str, Any] | None:
        if self.model_file is None:
            return None
        try:
            model = json.loads(self.model_file.read_text(encoding="utf-8-sig"))
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise Refused(f"{self.model_file.name} is not JSON; give the model.json of an earlier run.") from None
        if not isinstance(model, dict) or "comparisons" not in model:
            raise Refused(
                f"{self.model_file.name} is no model: it has no 'comparisons'; give the model.json of an earlier run."
            )
        return model

    def _write(self, outcome: Outcome) -> dict[str, str]:
        import pyarrow.parquet as pq
        from pyarrow import csv

        links, clusters = outcome.links, outcome.clusters
        clusters = _with_sides(clusters) if self.kind == "link" else clusters.select(["id", "cluster"])
        pq.write_table(links, self.out / _LINKS)
        csv.write_csv(links, self.out / "links.csv")
        csv.write_csv(clusters, self.out / "clusters.csv")
        (self.out / "model.json").write_text(_json(outcome.model), encoding="utf-8")
        names = ("links.csv", _LINKS, "clusters.csv", "roles.yml", "model.json", "report.html", "summary.json")
        return {name: str(self.out / name) for name in names}

    def _summarise(self, outcome: Outcome, files: Mapping[str, str], watch: _Watch) -> dict[str, Any]:
        from review import linkage_trial

        known = counted(outcome.links, outcome.clusters, across=self.kind == "link")
        facts = {**known, "steps": watch.steps(), **outcome.facts, "kind": self.kind}
        facts["warnings"] = [*self.warnings, *facts.get("warnings", ())]
        summary = {
            "kind": self.kind,
            "files": [
                {
                    "file": records.name,
                    "records": records.rows,
                    "encoding": records.encoding,
                    "delimiter": records.delimiter,
                    "id": guess.roles.id_column,
                    "roles": [
                        {"column": column, "role": role.value, "why": why}
                        for (column, role), (_, why) in zip(guess.roles.columns, guess.why, strict=True)
                    ],
                }
                for records, guess in zip(self.records, self.guesses, strict=True)
            ],
            "links": outcome.links.num_rows,
            "seconds": round(sum(step["seconds"] for step in facts["steps"]), 3),
            "facts": facts,
            "left": dict(files),
        }
        linkage_trial.write(summary, self.out / "report.html")
        (self.out / "summary.json").write_text(_json(summary), encoding="utf-8")
        return summary


class _Watch:
    """Passes progress on and keeps how long each step took."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._begun: list[tuple[str, float]] = []

    def tell(self, step: str, share: float | None) -> None:
        self._begun.append((step, time.perf_counter()))
        self._progress(step, share)

    def steps(self) -> list[StepFacts]:
        ends = [*(begun for _, begun in self._begun[1:]), time.perf_counter()]
        return [
            {"step": step, "seconds": round(end - begun, 3)}
            for (step, begun), end in zip(self._begun, ends, strict=True)
        ]


def _without_identifiers(roles: Roles) -> Roles:
    for column in roles.of(Role.NHS_NUMBER, Role.IDENTIFIER):
        roles = roles.with_role(column, Role.IGNORE)
    return roles


def _nobody_to_compare(table: pa.Table, roles: Roles) -> Outcome:
    """The outcome for a single record: a person of its own."""
    import pyarrow as pa

    from linkage.trial.run import Outcome

    ids = table[roles.of(Role.ID)[0]]
    kinds = {
        "left_id": pa.string(),
        "right_id": pa.string(),
        "weight": pa.float64(),
        "rule": pa.string(),
        "cluster": pa.int64(),
    }
    links = pa.schema(list(kinds.items())).empty_table()
    clusters = pa.table(
        {"side": pa.array(["left"] * len(ids)), "id": ids, "cluster": pa.array(range(len(ids)), pa.int64())}
    )
    return Outcome(links, clusters, {}, {"pairs": 0, "possible_pairs": 0, "clusters": 0})


def _in_words(outcome: Outcome) -> Outcome:
    """The same outcome with the analyst's own headings in rules, levels and patterns."""
    import pyarrow as pa

    from linkage.trial.run import Outcome

    facts, links = dict(outcome.facts), outcome.links
    reword = reader_words(facts.get("sides", ()))
    for key in ("blocking", "model", "patterns"):
        if key in facts:
            facts[key] = reword(facts[key])
    facts["sides"] = [
        {**side, "fields": [{**field, "field": reword(field["field"])} for field in side["fields"]]}
        for side in facts.get("sides", ())
    ]
    coded = links["rule"].cast(pa.string()).combine_chunks().dictionary_encode()
    rules = pa.array([reword(rule) for rule in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)
    links = links.set_column(links.column_names.index("rule"), "rule", rules)
    return Outcome(links, outcome.clusters, outcome.model, facts)


def _with_sides(clusters: pa.Table) -> pa.Table:
    """The clusters with `left` and `right` in words."""
    import pyarrow as pa

    names = {0: "left", 1: "right", "0": "left", "1": "right"}
    sides = [names.get(side, side) for side in clusters["side"].to_pylist()]
    place = clusters.column_names.index("side")
    return clusters.set_column(place, "side", pa.array(sides, pa.string()))


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, default=_plain) + "\n"


def _plain(value: object) -> object:
    item = getattr(value, "item", None)
    return item() if callable(item) else str(value)
