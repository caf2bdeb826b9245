"""What a trial leaves behind to be shown: counts, rules, levels, lines and patterns, and never a value of a person.

`linkage.trial.run` fills it, `summary.json` keeps it and `review.linkage_trial` draws it. Every key of `Facts` may be
absent; the page then says "not measured, because" with the reason given in `not_measured`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NotRequired, TypedDict

# Told the name of the step that begins and the share of the whole work done before it (0 to 1), or None when unknown.
Progress = Callable[[str, float | None], None]


class FieldFacts(TypedDict):
    """How complete one cleaned field is. `column` is the analyst's own heading (or several, joined by commas)."""

    field: str
    column: str
    present: int
    placeholders: NotRequired[int]  # values that were cleaned away, such as 1 January 1900


class SideFacts(TypedDict):
    """One file. `side` is `left` or `right`; a dedupe has `left` alone."""

    side: Literal["left", "right"]
    records: int
    fields: list[FieldFacts]


class StepFacts(TypedDict):
    """One step of the work, in order: `rows` is what it left behind (records, pairs, links or clusters, see `of`)."""

    step: str
    seconds: float
    rows: NotRequired[int]
    of: NotRequired[str]


class BlockingFacts(TypedDict):
    """One rule that chooses pairs, in the order they are applied; a pair counts for the first rule that finds it."""

    rule: str  # in words: "birth date + surname"
    pairs: int  # found by this rule and by none before it
    all_pairs: NotRequired[int]  # found by this rule, whether or not an earlier one found them too
    largest_block: int  # pairs of the biggest single block
    blocks_left_out: NotRequired[int]  # blocks above the limit that this rule did not look into
    links: NotRequired[int]  # its yield: pairs of this rule at or above the cut


class LevelFacts(TypedDict):
    """One level of a comparison. `bits` is log2(m/u) before any term-frequency part; null levels are left out."""

    level: str
    m: float
    u: float
    bits: float
    by_frequency: NotRequired[bool]
    learnt: NotRequired[bool]  # False: too few pairs, the value was set and not learnt


class ComparisonFacts(TypedDict):
    name: str
    levels: list[LevelFacts]


class GuardFacts(TypedDict):
    name: str
    meaning: str
    bits: float
    pairs: NotRequired[int]


class ModelFacts(TypedDict):
    """The model the pairs were scored with."""

    how: str  # in words: how m, u and the starting weight came about, or which file they were read from
    starting_weight: float
    comparisons: list[ComparisonFacts]
    guards: list[GuardFacts]
    warnings: NotRequired[list[str]]


class LineFacts(TypedDict):
    """Where links begin, and why there."""

    cut: float
    how: str  # in words, e.g. "given by --cut" or "chosen without truth: ..."
    one_to_one: bool
    clustering: str  # in words


class WeightBin(TypedDict):
    """Pairs whose weight lies from `low` up to, not including, `high`, told apart by what became of them."""

    low: float
    high: float
    linked: int
    rejected: int


class SizeFacts(TypedDict):
    """How many clusters have this many records."""

    records: int
    clusters: int


class PartFacts(TypedDict):
    part: str  # "starting weight", a comparison or a guard
    level: str
    bits: float


class PatternFacts(TypedDict):
    """A common agreement pattern: the mean weight of its parts, which add up to `total`. Never fewer than ten pairs."""

    linked: bool
    pairs: int
    rule: str
    parts: list[PartFacts]
    total: float


class EstimateFacts(TypedDict):
    """One estimate of quality made without truth, with its 95 % interval where there is one."""

    what: str  # "false links", "missed links", "missed by the rules that choose pairs"
    value: float | None  # a share from 0 to 1
    low: float | None
    high: float | None
    how: str  # in words: what it rests on, and what it assumes


class Facts(TypedDict, total=False):
    """Everything the report shows. JSON-able; absent keys are shown as not measured."""

    kind: Literal["link", "dedupe"]
    sides: list[SideFacts]
    steps: list[StepFacts]
    possible_pairs: int
    pairs: int  # looked at
    blocking: list[BlockingFacts]
    by_identifier: int  # links an equal identifier made with the rest of the record in agreement
    identifier_refused: int  # equal identifiers that the rest of the record contradicts
    model: ModelFacts
    lines: LineFacts
    weights: list[WeightBin]
    links: int
    clusters: int  # of two records and more
    linked_records: dict[str, int]  # by side: records with at least one link
    cluster_sizes: list[SizeFacts]
    patterns: list[PatternFacts]
    estimates: list[EstimateFacts]
    close_calls: int  # links with a competitor within the margin
    warnings: list[str]  # whole sentences, for the analyst
    not_measured: dict[str, str]  # key of this dictionary → the reason, continuing "not measured, because ..."
    seed: int
    engine: dict[str, str]  # name → version
