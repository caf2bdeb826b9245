"""Human decisions as constraints on grouping: same, not the same, cannot tell.

A decision is evidence with an author, never an edit of a score. Where active decisions contradict each other, also
through a chain, nothing is guessed: the pairs concerned need attention (linkage handbook 9.4) and stay as they were
last believed until somebody decides (governance F71).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from linkage.constraints import Constraints, components
from linkage.inputs import Decision, KeptApart

Decided = tuple[int, int, str]  # left, right, answer


def constraints_of(
    decisions: Sequence[Decision],
    listed: Iterable[KeptApart] = (),
    believed: frozenset[tuple[int, int]] = frozenset(),
) -> Constraints:
    """The constraints of all active decisions, told apart by whether a notice stands behind them, and of the
    do-not-link list. `believed` are the decided pairs whose records were last believed to be one person."""
    found = constraints_from((d.left, d.right, d.answer) for d in decisions)
    noticed = {(d.left, d.right) for d in decisions if d.answer == "same" and d.is_authorised}
    entries = list(listed)
    return replace(
        found,
        ordinary=(found.together | found.apart | found.attention) - noticed,
        never=frozenset((e.record, e.other) for e in entries if e.other is not None),
        alone=frozenset(e.record for e in entries if e.other is None),
        believed=believed,
    )


def constraints_from(decisions: Iterable[Decided]) -> Constraints:
    """The constraints of all active decisions. A pair may be decided by several reviewers."""
    answers: dict[tuple[int, int], set[str]] = {}
    for left, right, answer in decisions:
        answers.setdefault((min(left, right), max(left, right)), set()).add(answer)
    same = {pair for pair, given in answers.items() if "same" in given}
    apart = {pair for pair, given in answers.items() if "not_same" in given}
    undecided = {pair for pair, given in answers.items() if given == {"cannot_tell"}}
    attention = same & apart
    chain = components(same - attention)
    broken = {chain[left] for left, right in apart if left in chain and chain[left] == chain.get(right)}
    attention |= {pair for pair in same - attention if chain[pair[0]] in broken}
    attention |= {
        pair for pair in apart if pair[0] in chain and chain[pair[0]] in broken and chain[pair[0]] == chain.get(pair[1])
    }
    return Constraints(
        together=frozenset(same - attention),
        apart=frozenset(apart - attention),
        undecided=frozenset(undecided),
        attention=frozenset(attention),
    )
