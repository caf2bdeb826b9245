"""Everybody's eighteenth birthday as far as the door knows it, looked up a column at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from connectors.ages import NOT_YET, days_of, eighteenth_birthdays

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


def key_texts(values: pa.Array) -> pa.Array:
    """Keys as the door compares them: without blanks at the ends, empty for null."""
    import pyarrow.compute as pc

    return pc.fill_null(pc.utf8_trim_whitespace(values), "")


def adulthood(births: pa.Array, flagged: np.ndarray[Any, Any] | None) -> np.ndarray[Any, Any]:
    """The eighteenth birthday of each row; for a missing birth date the child flag decides, else NaT (an adult)."""
    import numpy as np

    days = eighteenth_birthdays(days_of(births))
    if flagged is not None:
        days = np.where(np.isnat(days) & flagged, np.datetime64(NOT_YET), days)
    return days


@dataclass(slots=True)
class People:
    """Persons by key. One who stands there twice counts with the later birthday: the more careful reading."""

    _keys: list[Any] = field(default_factory=list)
    _days: list[Any] = field(default_factory=list)
    _index: Any = None
    _sorted: Any = None

    def add(self, keys: pa.Array, days: np.ndarray[Any, Any]) -> None:
        """Take in persons; `keys` as `key_texts` gives them."""
        self._keys.append(keys)
        self._days.append(days)
        self._index = None

    def __len__(self) -> int:
        return sum(len(keys) for keys in self._keys)

    def adults_at(self, moment: date) -> list[str]:
        """The keys of those who are not under eighteen on that day."""
        import numpy as np

        if self._index is None and self._keys:
            self._build()
        if self._index is None:
            return []
        return list(self._index[~(self._sorted > np.datetime64(moment, "D"))])

    def find(self, keys: pa.Array) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """For each of `keys` the eighteenth birthday (NaT: none known) and whether the person is known at all."""
        import numpy as np

        if not self._keys:
            return np.full(len(keys), np.datetime64("NaT"), "datetime64[D]"), np.zeros(len(keys), bool)
        if self._index is None:
            self._build()
        places = self._index.get_indexer(keys.to_numpy(zero_copy_only=False))
        known = places >= 0
        days = np.where(known, self._sorted[places], np.datetime64("NaT"))
        return days, known

    def _build(self) -> None:
        import numpy as np
        import pandas as pd

        keys = np.concatenate([k.to_numpy(zero_copy_only=False) for k in self._keys])
        days = np.concatenate(self._days)
        index = pd.Index(keys)
        if not index.is_unique:
            order = np.argsort(days, kind="stable")  # NaT last: put first instead, a known birthday outranks it
            order = np.concatenate([order[np.isnat(days[order])], order[~np.isnat(days[order])]])
            keys, days = keys[order], days[order]
            last = ~pd.Index(keys).duplicated(keep="last")
            keys, days = keys[last], days[last]
            index = pd.Index(keys)
        self._index, self._sorted = index, days
