"""The one way a trial says no: a sentence with what is wrong, where, and what to do.

It never holds a value of a person, so it may be shown and kept anywhere.
"""

from __future__ import annotations


class Refused(Exception):
    """The input cannot be linked as it is. The message is one clear sentence for the analyst (exit code 4)."""
