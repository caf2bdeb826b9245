"""Work ahead: the pieces of a long read are made by a thread of their own while the ones before are being used.

Unpacking, hashing, parsing and packing all let go of Python's lock, so that a reader made of such steps keeps two cores
busy. Memory stays flat: only a few pieces wait at any time.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextvars import copy_context
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T], depth: int = 2) -> Generator[T, None, None]:
    """The same items in the same order; up to `depth` of them are made before they are asked for.

    What goes wrong while an item is made is raised where that item would have come. Closing the generator stops the
    thread, closes `items` and returns only when both are done, so that nothing is read afterwards.
    """
    ready: SimpleQueue[tuple[T, ...] | BaseException | None] = SimpleQueue()
    room, stopped = Semaphore(depth), [False]

    def work() -> None:
        try:
            for item in items:
                ready.put((item,))
                room.acquire()
                if stopped[0]:
                    break
        except BaseException as problem:  # raised again in the thread that asks
            ready.put(problem)
        else:
            ready.put(None)
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()

    worker = Thread(target=copy_context().run, args=(work,), name="ahead", daemon=True)
    worker.start()
    try:
        while (found := ready.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found[0]
            room.release()
    finally:
        stopped[0] = True
        room.release()
        worker.join()
