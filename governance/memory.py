"""The most memory this process held while a block ran, for the ledger and the benchmark."""

from __future__ import annotations

import threading

_PAUSE = 0.05  # seconds between two looks


class PeakMemory:
    """Watches the process's resident memory from a thread; `peak_mib` afterwards is whole mebibytes."""

    def __init__(self) -> None:
        self.peak_mib = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._over.wait(_PAUSE):
            self._look()

    def _look(self) -> None:
        import psutil

        self.peak_mib = max(self.peak_mib, psutil.Process().memory_info().rss >> 20)
