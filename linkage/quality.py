"""How good the groups are where the truth is known, and intervals for estimates where it is not.

`pairwise_quality` is the only reader of truth, and only a synthetic council or a benchmark has any. Pairs that blocking
never found count as missed, because the groups are judged and not the candidates (linkage handbook 14).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Mapping
from dataclasses import asdict, dataclass
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_Z = 1.959963984540054  # two-sided 95 %


@dataclass(frozen=True, slots=True)
class PairQuality:
    """Counts of pairs of records, and what follows from them.

    A share without a base is 1: nothing was wrong or missed.
    """

    true_pairs: int
    linked_pairs: int
    right_pairs: int

    @property
    def precision(self) -> float:
        return self.right_pairs / self.linked_pairs if self.linked_pairs else 1.0

    @property
    def recall(self) -> float:
        return self.right_pairs / self.true_pairs if self.true_pairs else 1.0

    def as_dict(self) -> dict[str, float | int]:
        return {**asdict(self), "precision": self.precision, "recall": self.recall}


@dataclass(frozen=True, slots=True)
class Quality:
    """Overall, between care and health records, and where at least one record has no usable NHS number."""

    overall: PairQuality
    care_to_patient: PairQuality
    number_missing: PairQuality

    def as_dict(self) -> dict[str, dict[str, float | int]]:
        return {
            "overall": self.overall.as_dict(),
            "care_to_patient": self.care_to_patient.as_dict(),
            "number_missing": self.number_missing.as_dict(),
        }


def quality_of(
    clusters: Mapping[str, Hashable],
    truth: Mapping[str, Hashable],
    *,
    health_records: Collection[str] = (),
    numberless_records: Collection[str] = (),
) -> Quality:
    """Compare groups with the truth over all pairs of records, within and between sources.

    Args:
        clusters: record key -> person as linked.
        truth: record key -> person in truth; records that are in `clusters` only are not judged, those only here are
            missed unless alone.
        health_records: keys of the records of health sources; the others are care records.
        numberless_records: keys of the records without a usable NHS number.
    """
    health, numberless = frozenset(health_records), frozenset(numberless_records)
    records = {
        key: (truth[key], clusters.get(key, ("not linked", key)), key in health, key in numberless) for key in truth
    }
    total = _pairs(records.values())
    within = _pairs([(t, c, h, n) for t, c, h, n in records.values() if h])
    within_care = _pairs([(t, c, h, n) for t, c, h, n in records.values() if not h])
    numbered = _pairs([(t, c, h, n) for t, c, h, n in records.values() if not n])
    return Quality(
        overall=total,
        care_to_patient=_minus(_minus(total, within), within_care),
        number_missing=_minus(total, numbered),
    )


@dataclass(frozen=True, slots=True)
class ClusterQuality:
    """What groups are worth as a whole, by pairs and by B-cubed; the two differ by a tenth and more, so say which.

    B-cubed asks of each record which share of its group is its person, and which share of its person is in its group,
    and takes the mean over records.
    """

    pairs: PairQuality
    b_cubed_precision: float
    b_cubed_recall: float

    @property
    def pair_f1(self) -> float:
        """2 x right / (linked + true); 1 where there was nothing to find and nothing found."""
        both = self.pairs.linked_pairs + self.pairs.true_pairs
        return 2 * self.pairs.right_pairs / both if both else 1.0

    @property
    def b_cubed_f1(self) -> float:
        """The harmonic mean of B-cubed precision and recall."""
        both = self.b_cubed_precision + self.b_cubed_recall
        return 2 * self.b_cubed_precision * self.b_cubed_recall / both if both else 0.0


def cluster_quality(clusters: Mapping[str, Hashable], truth: Mapping[str, Hashable]) -> ClusterQuality:
    """Judge groups (record -> group) against the truth (record -> person).

    A record that is in no group stands alone; one that has no truth is not judged.
    """
    records = [(person, clusters.get(key, ("not linked", key))) for key, person in truth.items()]
    both, people, groups = Counter(records), Counter(p for p, _ in records), Counter(g for _, g in records)
    count = len(records) or 1
    return ClusterQuality(
        _pairs([(person, group, False, False) for person, group in records]),
        sum(n * n / groups[group] for (_, group), n in both.items()) / count if records else 1.0,
        sum(n * n / people[person] for (person, _), n in both.items()) / count if records else 1.0,
    )


def _pairs(records: Collection[tuple[Hashable, Hashable, bool, bool]]) -> PairQuality:
    def pairs(counts: Counter[Hashable]) -> int:
        return sum(n * (n - 1) // 2 for n in counts.values())

    return PairQuality(
        true_pairs=pairs(Counter(r[0] for r in records)),
        linked_pairs=pairs(Counter(r[1] for r in records)),
        right_pairs=pairs(Counter((r[0], r[1]) for r in records)),
    )


def _minus(whole: PairQuality, part: PairQuality) -> PairQuality:
    return PairQuality(
        whole.true_pairs - part.true_pairs, whole.linked_pairs - part.linked_pairs, whole.right_pairs - part.right_pairs
    )


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share with its 95 % interval (Wilson) and the counts it is made of; `value` is None without a base."""

    value: float | None
    low: float | None
    high: float | None
    hits: int
    base: int

    def as_dict(self) -> dict[str, float | int | None]:
        return asdict(self)


def wilson(hits: int, base: int) -> Estimate:
    """The share `hits` / `base` with its Wilson interval at 95 %."""
    if base == 0:
        return Estimate(None, None, None, hits, base)
    share = hits / base
    return Estimate(share, *_wilson(share, base), hits, base)


def _wilson(share: float, base: float) -> tuple[float, float]:
    centre = (share + _Z**2 / (2 * base)) / (1 + _Z**2 / base)
    half = _Z * sqrt(share * (1 - share) / base + _Z**2 / (4 * base**2)) / (1 + _Z**2 / base)
    return max(0.0, centre - half), min(1.0, centre + half)


def difference(hits: int, base: int, other_hits: int, other_base: int) -> Estimate:
    """The first share less the second, with the interval of Newcombe made from the two of Wilson.

    `value` is None where one of them has no base.
    """
    one, other = wilson(hits, base), wilson(other_hits, other_base)
    if one.value is None or other.value is None:
        return Estimate(None, None, None, hits, base)
    assert one.low is not None and one.high is not None and other.low is not None and other.high is not None
    gap = one.value - other.value
    low = gap - sqrt((one.value - one.low) ** 2 + (other.high - other.value) ** 2)
    high = gap + sqrt((one.high - one.value) ** 2 + (other.value - other.low) ** 2)
    return Estimate(gap, low, high, hits, base)


def weighted(values: Collection[tuple[float, bool]]) -> Estimate:
    """The weighted share of (weight, hit), its interval from the effective size of the sample (Kish)."""
    total = sum(weight for weight, _ in values)
    if not total:
        return Estimate(None, None, None, 0, 0)
    share = sum(weight for weight, hit in values if hit) / total
    effective = total**2 / sum(weight**2 for weight, _ in values)
    around = _wilson(share, effective)
    return Estimate(share, *around, sum(hit for _, hit in values), len(values))


def stratified(strata: Collection[tuple[int, int, int]]) -> Estimate:
    """The share over all strata (size, hits, sample), each sample weighted to its size; unsampled strata are left out.

    The interval is Wilson's at the effective size of the sample: the same share from a simple sample of that size would
    vary as much. Where no stratum varies it is the sample's own size, less what unequal weights cost (Kish).
    """
    known = [(size, hits, sample) for size, hits, sample in strata if sample and size]
    total = sum(size for size, _, _ in known)
    if not total:
        return Estimate(None, None, None, 0, 0)
    share = sum(size * hits / sample for size, hits, sample in known) / total
    kish = total**2 / sum(size**2 / sample for size, _, sample in known)
    # One hit and one miss more in every stratum keeps a stratum without either from looking certain (Agresti).
    spread = sum(
        (size / total) ** 2 * (p := (hits + 1) / (sample + 2)) * (1 - p) / sample for size, hits, sample in known
    )
    overall = sum(size * (hits + 1) / (sample + 2) for size, hits, sample in known) / total
    effective = min(kish, overall * (1 - overall) / spread) if spread else kish
    return Estimate(share, *_wilson(share, effective), sum(k[1] for k in known), sum(k[2] for k in known))


def pairwise_quality(clusters: pa.Table, truth: pa.Table) -> dict[str, dict[str, float | int]]:
    """Judge the current memberships against the truth file of a synthetic council.

    Args:
        clusters: source, source_person_key, person_id of every current membership.
        truth: system, key, person_id, has_nhs_number, is_flagged_test, removed_night and, where known, is_child of
            every record; flagged training people and children (left out by policy) and records their system
            has removed are not judged.
    """
    linked = {
        f"{source}|{key}": person
        for source, key, person in zip(
            *(clusters[name].to_pylist() for name in ("source", "source_person_key", "person_id")), strict=True
        )
    }
    rows = [row for row in truth.to_pylist() if not (row["is_flagged_test"] or row.get("is_child"))]
    rows = [row for row in rows if row["removed_night"] is None]
    keys = [f"{row['system']}|{row['key']}" for row in rows]
    return quality_of(
        linked,
        {key: row["person_id"] for key, row in zip(keys, rows, strict=True)},
        health_records={key for key, row in zip(keys, rows, strict=True) if row["system"] == "systmone"},
        numberless_records={key for key, row in zip(keys, rows, strict=True) if not row["has_nhs_number"]},
    ).as_dict()
