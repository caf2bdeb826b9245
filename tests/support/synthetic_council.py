"""Small synthetic councils for tests, built once per process."""

from __future__ import annotations

from functools import lru_cache

from connectors.synthetic.generate import build_world
from connectors.synthetic.settings import QualityProfile, SyntheticSettings
from connectors.synthetic.world import World


@lru_cache(maxsize=8)
def council(scale: float = 0.2, quality: QualityProfile = "typical", seed: int = 11) -> World:
    """A council nobody may change: tests share it."""
    return build_world(SyntheticSettings(seed=seed, scale=scale, quality_profile=quality))
