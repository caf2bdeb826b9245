"""From supplier to landed, conformed source datasets. Start at `base.py`, then `stage.py`."""
