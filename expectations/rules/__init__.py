"""The rules, one a file, found by their code. A file `key_001_key_present.py` holds the rule KEY-001 as `RULE`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.resources import files

from expectations.rule import Rule, RuleError


@cache
def all_rules() -> Mapping[str, Rule]:
    """Every rule by its code. Raises `RuleError` when a file's name and its rule's code differ, or two share one."""
    found: dict[str, Rule] = {}
    for page in sorted(entry.name for entry in files(__name__).iterdir()):
        if not page.endswith(".py") or page.startswith("_"):
            continue
        rule = import_module(f"{__name__}.{page[:-3]}").RULE
        if not page.startswith(rule.code.lower().replace("-", "_") + "_"):
            raise RuleError(f"the file {page} holds the rule {rule.code}")
        if rule.code in found:
            raise RuleError(f"two files hold the rule {rule.code}")
        found[rule.code] = rule
    return found


def rule(code: str) -> Rule:
    """The rule `code`; raises `RuleError` when there is none."""
    try:
        return all_rules()[code]
    except KeyError:
        raise RuleError(f"there is no rule {code!r}") from None
