"""What is counted from links and clusters agrees with them."""

from __future__ import annotations

import pyarrow as pa

from linkage.trial.counted import counted
from linkage.trial.wording import reader_words

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


def test_numbered_fields_are_told_by_the_analysts_own_headings() -> None:
    fields = [("name", "a, b"), ("place 0", "suburb"), ("place_1", "birth_place"), ("postcode 0", "zip")]
    side = {"side": "left", "records": 3, "fields": [{"field": f, "column": c, "present": 3} for f, c in fields]}
    reword = reader_words([side])  # type: ignore[list-item]
    assert reword({"rule": "surname + place 1", "pairs": 3}) == {"rule": "surname + place (birth_place)", "pairs": 3}
    assert reword(["postcode 0 and place 0", None]) == ["postcode and place (suburb)", None]
    assert reader_words([])("place 1") == "place 1"
