"""Judges a run on a synthetic council against its truth: defects found, faults noticed; nothing else reads it."""
