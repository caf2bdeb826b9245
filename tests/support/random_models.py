"""Models and records put together by chance from every kind of level, rule and value that a settings file may hold."""

from __future__ import annotations

from random import Random
from typing import Any

import duckdb

_NAMES = (
    "ann",
    "anne",
    "anna",
    "ana",
    "maria",
    "mariah",
    "mia",
    "o'neil",
    "oneil",
    "zoë",
    "zoe",
    "jo",
    "j",
    "",
    "ab",
    "ba",
)
_DATES = ("1950-02-03", "1950-03-02", "1951-02-03", "1950-02-30", "2001-12-11", "2001-11-12", "1950-2-3", "unknown")
_POSTCODES = ("AB1 2CD", "AB1 2CE", "AB1 3CD", "AB12 2CD", "B1 2CD", "nowhere")
_TEXT = ("forename", "surname", "code")

_LEVELS = (
    '"{c}_l" = "{c}_r"',
    "{c}_l = {c}_r",
    "jaro_winkler_similarity({c}_l, {c}_r) >= {j}",
    "jaro_winkler_similarity({c}_l, {c}_r) > {j} and jaro_winkler_similarity({d}_l, {d}_r) > {j}",
    "jaro_similarity({c}_l, {c}_r) >= {j}",
    "levenshtein({c}_l, {c}_r) <= {k}",
    "levenshtein({c}_l, {c}_r) < {k}",
    "{k} >= levenshtein({c}_l, {c}_r)",
    "not levenshtein({c}_l, {c}_r) > {k}",
    "damerau_levenshtein({c}_l, {c}_r) <= {k}",
    "damerau_levenshtein({c}_l, {c}_r) <= {k} or {d}_l = {d}_r",
    "damerau_levenshtein(birth_date_l, birth_date_r) < {k}",
    "levenshtein(birth_date_l, birth_date_r) <= {k}",
    "case when strlen({c}_l) > 0 and strlen({c}_l) = strlen({c}_r) then hamming({c}_l, {c}_r) <= {k} else false end",
    "forename_l = surname_r and surname_l = forename_r",
    "forename_l = forename_r and surname_l = surname_r",
    "abs(epoch(try_strptime(birth_date_l, '%Y-%m-%d')) - epoch(try_strptime(birth_date_r, '%Y-%m-%d'))) <= {days}",
    "try_cast(birth_date_l as date) = try_cast(birth_date_r as date)",
    "substr(birth_date_l, 1, 4) = substr(birth_date_r, 1, 4)",
    "nullif(regexp_extract(postcode_l, '^[A-Z]+', 0), '') = nullif(regexp_extract(postcode_r, '^[A-Z]+', 0), '')",
    "list_has_any(names_l, names_r)",
    "array_length(list_intersect(names_l, names_r)) >= {k}",
    "len(list_filter(names_l, lambda x: list_contains(names_r, x))) >= {k}",
    "abs(number_l - number_r) <= {k}",
    "abs(number_l - number_r) / greatest(number_l, number_r) < 0.2",
    "number_l is not distinct from number_r",
    "coalesce({c}_l, 'none') = coalesce({c}_r, 'none')",
    "upper(left({c}_l, 1)) = upper(left({c}_r, 1)) and ({d}_l is null or {d}_r is null)",
)
_NULLS = (
    '"{c}_l" is null or "{c}_r" is null',
    "{c}_l is null and {c}_r is null",
    "nullif({c}_l, '') is null or nullif({c}_r, '') is null",
    "try_strptime(birth_date_l, '%Y-%m-%d') is null or try_strptime(birth_date_r, '%Y-%m-%d') is null",
    "length(coalesce({c}_l, '')) < 2 or {c}_r is null",
    "names_l is null or names_r is null or len(names_l) = 0",
)
_RULES: tuple[Any, ...] = (
    "l.forename = r.forename",
    "l.surname = r.surname and l.birth_date = r.birth_date",
    "l.birth_date = r.birth_date",
    "l.forename = r.surname",
    "substr(l.birth_date, 1, 4) = substr(r.birth_date, 1, 4) and l.code = r.code",
    "split_part(l.postcode, ' ', 1) = split_part(r.postcode, ' ', 1) and levenshtein(l.forename, r.forename) <= 2",
    'l."surname" = r."surname" or l.number = r.number',
    "l.number = r.number + 1",
    "l.code = r.code and damerau_levenshtein(l.surname, r.surname) <= 1",
    {"blocking_rule": "l.names = r.names", "sql_dialect": "duckdb", "arrays_to_explode": ["names"]},
    {"blocking_rule": "l.names = r.names and l.surname = r.surname", "sql_dialect": "duckdb",
     "arrays_to_explode": ["names"]},
    {"blocking_rule": "l.postcode = r.postcode", "sql_dialect": "duckdb"},
)  # fmt: skip


def random_model(chance: Random, link_type: str) -> dict[str, Any]:
    """A settings dictionary with one to four comparisons and one to four rules."""
    return {
        "link_type": link_type,
        "unique_id_column_name": "record_id",
        "probability_two_random_records_match": chance.uniform(0.00001, 0.2),
        "retain_matching_columns": False,
        "comparisons": [_comparison(chance, n) for n in range(chance.randint(1, 4))],
        "blocking_rules_to_generate_predictions": chance.sample(_RULES, chance.randint(1, 4)),
    }


def _comparison(chance: Random, number: int) -> dict[str, Any]:
    column, other = chance.sample(_TEXT, 2)

    def written(pattern: str) -> str:
        return pattern.format(c=column, d=other, j=chance.choice((0.7, 0.88, 0.92, 1)), k=chance.choice((0, 1, 2, 3)),
                              days=chance.choice((86400.0, 2629800.0, 315576000.0)))  # fmt: skip

    levels: list[dict[str, Any]] = []
    if chance.random() < 0.8:
        levels.append({"sql_condition": written(chance.choice(_NULLS)), "is_null_level": True})
    has_equal = chance.random() < 0.7
    if has_equal:
        levels.append(_weighed(chance, written(_LEVELS[0]), column))
    if chance.random() < 0.5:  # thresholds of one measure, one after the other
        measure = chance.choice((2, 5, 9, 16))
        levels += [_weighed(chance, written(_LEVELS[measure]), None) for _ in range(2)]
    for pattern in chance.sample(_LEVELS, chance.randint(1, 4)):
        levels.append(_weighed(chance, written(pattern), column if has_equal else None))
    scored = sum(1 for level in levels if not level.get("is_null_level"))
    if scored < 2 or chance.random() < 0.9:
        levels.append(_weighed(chance, "ELSE", None))
    return {"output_column_name": f"aspect {number}", "comparison_levels": levels}


def _weighed(chance: Random, condition: str, frequent: str | None) -> dict[str, Any]:
    m, u = chance.uniform(0.001, 1), chance.uniform(0.0001, 1)
    level: dict[str, Any] = {"sql_condition": condition, "m_probability": m, "u_probability": u}
    if chance.random() < 0.1:
        del level["m_probability"]
    if chance.random() < 0.1:
        del level["u_probability"]
    if chance.random() < 0.1:
        level["u_probability"] = "level not observed in training dataset"
    if frequent and chance.random() < 0.5:
        level |= {"tf_adjustment_column": frequent, "tf_adjustment_weight": chance.choice((1.0, 0.5)),
                  "tf_minimum_u_value": chance.choice((0.0, 0.001, 0.2))}  # fmt: skip
    elif condition != "ELSE" and chance.random() < 0.2 and "u_probability" in level:
        level |= {"tf_adjustment_column": chance.choice(_TEXT), "disable_tf_exact_match_detection": True}
    return level


def random_records(con: duckdb.DuckDBPyConnection, table: str, chance: Random) -> None:
    """Some forty records of few values, many of them missing, with ids that do not follow the order of the rows."""

    def some(values: tuple[str, ...]) -> str | None:
        return None if chance.random() < 0.2 else chance.choice(values)

    con.execute(f"""create or replace table {table} (record_id varchar, forename varchar, surname varchar, code varchar,
        birth_date varchar, postcode varchar, names varchar[], number integer)""")
    rows = []
    for number in chance.sample(range(500), chance.randint(5, 40)):
        names = None if chance.random() < 0.2 else [some(_NAMES) for _ in range(chance.randint(0, 3))]
        rows.append(
            (f"r{number}", some(_NAMES), some(_NAMES), some(("a1", "a2", "b12", "b21", "")), some(_DATES),
             some(_POSTCODES), names, None if chance.random() < 0.2 else chance.randint(1, 6))
        )  # fmt: skip
    marks = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?)"] * len(rows))
    con.execute(f"insert into {table} values {marks}", [value for row in rows for value in row])
