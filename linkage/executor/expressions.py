"""Conditions as trees: which side a column belongs to, and what one record can work out alone.

Splink writes `surname_l = surname_r` in levels and `l.surname = r.surname` in blocking rules. Here both become trees
over `l."surname"` and `r."surname"`, so that one set of rewrites serves levels, blocking rules and guards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlglot
import sqlglot.dialects.duckdb  # else loaded when the first condition is read
from sqlglot import exp

Tree = Any  # a sqlglot expression: the library is not typed for us

_SIDE = re.compile(r"^(?P<name>.+)_(?P<side>[lr])$", re.IGNORECASE)

# Functions of one record that cannot fail, whatever the value: worked out once a record instead of once a pair.
_SAFE = (
    exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Boolean, exp.Paren, exp.Substring, exp.Left, exp.Right,
    exp.Lower, exp.Upper, exp.Trim, exp.Length, exp.Coalesce, exp.Nullif, exp.DPipe, exp.RegexpExtract, exp.SplitPart,
    exp.TimeToUnix, exp.Is, exp.Not, exp.And, exp.Or, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.TryCast,
    exp.DataType, exp.Year, exp.Month, exp.Day, exp.RegexpReplace, exp.Concat, exp.StartsWith,
)  # fmt: skip
_SAFE_BY_NAME = {
    "try_strptime", "strlen", "list_sort", "list_distinct", "regexp_matches", "strip_accents", "len", "array_length",
    "split_part",
}  # fmt: skip


@dataclass(slots=True)
class Derived:
    """Values worked out once for each record: expression over bare columns -> name of the column that holds it."""

    names: dict[str, str] = field(default_factory=dict)
    trees: dict[str, Tree] = field(default_factory=dict)

    def spelled_out(self, text: str, side: str) -> str:
        """SQL with the values of one side worked out on the spot, for records that do not carry them."""
        for name, tree in self.trees.items():
            held = f'{side}."{name}"'
            if held in text:
                text = text.replace(held, f"({of_side(tree, side)})")
        return text

    def column(self, tree: Tree, side: str) -> Tree:
        """The column that stands for `tree`, an expression over one side."""
        bare = tree.copy()
        for column in list(bare.find_all(exp.Column)):
            column.set("table", None)
        key = sql(bare)
        name = self.names.setdefault(key, f"__value_{len(self.names)}")
        self.trees[name] = bare
        return side_column(name, side)


def parse_level(condition: str) -> Tree:
    """A level's condition as a tree. Raises `ValueError` when it is not SQL or names a column of neither side."""
    tree = _parse(condition)
    for column in list(_columns(tree)):
        match = _SIDE.match(column.name)
        if column.table or match is None:
            raise ValueError(f"column {column.sql()} is of neither side (its name must end in _l or _r)")
        _become(column, match["name"], match["side"].lower())
    return tree


def parse_rule(condition: str) -> Tree:
    """A blocking rule's condition as a tree. Raises `ValueError` when it is not SQL or a column is of neither side."""
    tree = _parse(condition)
    for column in list(_columns(tree)):
        if column.table.lower() not in {"l", "r"} or column.args.get("db"):
            raise ValueError(f"column {column.sql()} is of neither side (it must begin with l. or r.)")
        _become(column, column.name, column.table.lower())
    return tree


def sql(tree: Tree) -> str:
    """The tree as DuckDB's SQL."""
    return str(tree.sql(dialect="duckdb"))


def side_column(name: str, side: str) -> Tree:
    """The column `name` of one side."""
    return exp.column(exp.to_identifier(name, quoted=True), table=side)


def of_side(tree: Tree, side: str) -> str:
    """An expression over bare columns as SQL over the columns of a table."""
    copy = tree.copy()
    for column in copy.find_all(exp.Column):
        column.set("table", exp.to_identifier(side))
    return sql(copy)


def sides(tree: Tree) -> set[str]:
    """The sides a tree reads: of `l` and `r`, none, one or both."""
    return {column.table for column in _columns(tree)}


def columns(trees: Iterable[Tree], side: str) -> set[str]:
    """The names of all columns of one side that the trees read."""
    return {column.name for tree in trees for column in _columns(tree) if column.table == side}


def conjuncts(tree: Tree) -> list[Tree]:
    """The parts of a tree that all have to hold."""
    tree = tree.unnest()
    if isinstance(tree, exp.And):
        return [*conjuncts(tree.left), *conjuncts(tree.right)]
    return [tree]


def disjuncts(tree: Tree) -> list[Tree]:
    """The parts of a tree of which one has to hold."""
    tree = tree.unnest()
    if isinstance(tree, exp.Or):
        return [*disjuncts(tree.left), *disjuncts(tree.right)]
    return [tree]


def settle_one_sided(tree: Tree, derived: Derived) -> Tree:
    """The tree with every safe expression of a single record replaced by a column worked out beforehand."""
    if _worth_settling(tree):
        return derived.column(tree, next(iter(sides(tree))))
    copy = tree.copy()
    for key, value in list(copy.args.items()):
        if isinstance(value, exp.Expression):
            copy.set(key, settle_one_sided(value, derived))
        elif isinstance(value, list):
            copy.set(key, [settle_one_sided(v, derived) if isinstance(v, exp.Expression) else v for v in value])
    return copy


def _parse(condition: str) -> Tree:
    try:
        return sqlglot.parse_one(condition, read="duckdb").copy()
    except sqlglot.errors.SqlglotError as problem:
        raise ValueError("it is not a condition in DuckDB's SQL") from problem


def _columns(tree: Tree) -> Iterator[Tree]:
    """The columns of a tree; the variables of its lambdas are none."""
    for column in tree.find_all(exp.Column):
        above, names = column.parent, set()
        while above is not None:
            if isinstance(above, exp.Lambda):
                names |= {variable.name for variable in above.expressions}
            above = above.parent
        if column.table or column.name not in names:
            yield column


def _become(column: Tree, name: str, side: str) -> None:
    column.set("this", exp.to_identifier(name.lower(), quoted=True))
    column.set("table", exp.to_identifier(side))


def _worth_settling(tree: Tree) -> bool:
    if isinstance(tree, exp.Column | exp.Literal | exp.Null | exp.Boolean | exp.Identifier | exp.DataType):
        return False
    plain = tree.unnest()
    if isinstance(plain, exp.Is | exp.Not | exp.Column) and not plain.find(exp.Func):
        return False
    return isinstance(plain, exp.Expression) and len(sides(tree)) == 1 and all(_is_safe(node) for node in tree.walk())


def _is_safe(node: Tree) -> bool:
    if isinstance(node, exp.Anonymous):
        return node.name.lower() in _SAFE_BY_NAME
    if isinstance(node, exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE):
        return not any(isinstance(side.unnest(), exp.Column) for side in (node.left, node.right))  # no hidden cast
    return isinstance(node, _SAFE)
