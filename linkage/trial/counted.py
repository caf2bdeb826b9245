"""Facts that follow from the links and clusters alone, whatever way they were found: sizes, shares, weights of links.

What the run itself knows better stands in its own facts and wins over these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linkage.trial.facts import Facts, SizeFacts, WeightBin

if TYPE_CHECKING:
    import pyarrow as pa

_BIN = 2.0  # bits


def counted(links: pa.Table, clusters: pa.Table, *, across: bool) -> Facts:
    """Count what was found: `links` has left_id, right_id, weight; `clusters` has side, id, cluster."""
    sizes = _sizes(clusters)
    return {
        "links": links.num_rows,
        "clusters": sum(size["clusters"] for size in sizes if size["records"] > 1),
        "cluster_sizes": sizes,
        "linked_records": _linked(links, across=across),
        "weights": _weights(links),
    }


def _sizes(clusters: pa.Table) -> list[SizeFacts]:
    import pyarrow.compute as pc

    of_each = clusters.group_by("cluster").aggregate([("id", "count")])["id_count"]
    counts = pc.value_counts(of_each).to_pylist()
    return [{"records": c["values"], "clusters": c["counts"]} for c in sorted(counts, key=lambda c: int(c["values"]))]


def _linked(links: pa.Table, *, across: bool) -> dict[str, int]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if across:
        return {side: pc.count_distinct(links[f"{side}_id"]).as_py() for side in ("left", "right")}
    both = pa.chunked_array([*links["left_id"].chunks, *links["right_id"].chunks], links["left_id"].type)
    return {"left": pc.count_distinct(both).as_py()}


def _weights(links: pa.Table) -> list[WeightBin]:
    import pyarrow.compute as pc

    lows = pc.multiply(pc.floor(pc.divide(links["weight"].cast("double"), _BIN)), _BIN)
    counts = {c["values"]: c["counts"] for c in pc.value_counts(lows).to_pylist() if c["values"] is not None}
    return [{"low": low, "high": low + _BIN, "linked": counts[low], "rejected": 0} for low in sorted(counts)]
