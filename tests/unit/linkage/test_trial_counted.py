"""What is counted from links and clusters agrees with them."""

from __future__ import annotations

import pyarrow as pa

from linkage.trial.counted import counted

LINKS = pa.table({"left_id": ["a", "a", "c"], "right_id": ["x", "y", "z"], "weight": [-0.5, 3.0, 3.9]})
CLUSTERS = pa.table(
    {"side": [0, 0, 0, 1, 1, 1, 1], "id": ["a", "b", "c", "x", "y", "z", "w"], "cluster": [0, 1, 2, 0, 0, 2, 6]}
)


def test_sizes_shares_and_weights_are_counted() -> None:
    found = counted(LINKS, CLUSTERS, across=True)
    assert (found["links"], found["clusters"]) == (3, 2)
    assert found["linked_records"] == {"left": 2, "right": 3}
    assert [(s["records"], s["clusters"]) for s in found["cluster_sizes"]] == [(1, 2), (2, 1), (3, 1)]
    assert [(b["low"], b["high"], b["linked"]) for b in found["weights"]] == [(-2.0, 0.0, 1), (2.0, 4.0, 2)]


def test_in_a_dedupe_a_record_counts_once_on_whichever_side_it_stands() -> None:
    assert counted(LINKS, CLUSTERS, across=False)["linked_records"] == {"left": 5}


def test_no_links_is_a_result_too() -> None:
    found = counted(LINKS.slice(0, 0), CLUSTERS.slice(0, 0), across=True)
    assert (found["links"], found["clusters"], found["weights"], found["cluster_sizes"]) == (0, 0, [], [])
