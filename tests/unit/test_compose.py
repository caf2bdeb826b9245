"""The composed installation, checked as far as can be without an engine: shape, files, variables, safety."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = {name for name, service in SERVICES.items() if service["restart"] == "no"}

# The part of the Compose Specification that the file uses; anything else is a mistake or wants adding here.
_STRINGS = {"type": "array", "items": {"type": "string"}}
SCHEMA = {
    "type": "object",
    "required": ["name", "services", "volumes"],
    "additionalProperties": False,
    "patternProperties": {"^x-": {}},
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
        "volumes": {"type": "object", "additionalProperties": {"type": "object", "maxProperties": 0}},
        "services": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["image", "restart"],
                "additionalProperties": False,
                "properties": {
                    "image": {"type": "string", "pattern": ":[0-9]"},
                    "command": _STRINGS,
                    "volumes": _STRINGS,
                    "restart": {"enum": ["no", "unless-stopped"]},
                    "build": {"type": "object", "required": ["context", "dockerfile"]},
                    "environment": {"type": "object", "additionalProperties": {"type": "string"}},
                    "ports": {
                        "type": "array",
                        "items": {"type": "string", "pattern": "^127\\.0\\.0\\.1:[0-9]+:[0-9]+$"},
                    },
                    "depends_on": {
                        "type": "object",
                        "additionalProperties": {
                            "type": "object",
                            "required": ["condition"],
                            "properties": {
                                "condition": {"enum": ["service_healthy", "service_completed_successfully"]}
                            },
                        },
                    },
                    "healthcheck": {
                        "type": "object",
                        "required": ["test", "interval", "timeout", "retries"],
                        "properties": {"test": {**_STRINGS, "contains": {"enum": ["CMD", "CMD-SHELL"]}}},
                    },
                },
            },
        },
    },
}


def test_the_file_has_the_shape_compose_expects() -> None:
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(COMPOSE)] == []


def test_every_file_it_names_exists() -> None:
    named = [mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])]
    named += [service["build"]["dockerfile"] for service in SERVICES.values() if "build" in service]
    files = [name for name in named if "/" in name]
    assert files
    assert [name for name in files if not (ROOT / name).is_file()] == []
    volumes = {name for name in named if "/" not in name}
    assert volumes <= set(COMPOSE["volumes"])


def test_every_variable_is_in_the_example_and_none_has_a_default() -> None:
    example = (ROOT / "deploy" / "example.env").read_text(encoding="utf-8")
    names = re.findall(r"^([A-Z_]+)=(.*)$", example, re.MULTILINE)
    assert all(value == "" for _, value in names)
    used = set(re.findall(r"\$\{([A-Z_]+)", TEXT))
    assert used == {name for name, _ in names}
    assert ":-" not in TEXT


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONCE))
def test_every_lasting_service_has_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]


def test_services_wait_for_services_that_exist_and_that_end_or_become_healthy() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if other in ONCE else "service_healthy"
            assert how["condition"] == wanted, (name, other)


def test_no_warehouse_or_source_password_is_in_airflows_database_settings() -> None:
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if key.startswith("AIRFLOW_CONN") or key.startswith("AIRFLOW_VAR"):
                pytest.fail(f"{key} would be readable by every task")
            assert "admin:" not in value or key == "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"


def test_the_composed_profile_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    from domain.profile import load_profile

    monkeypatch.setenv("HDM_READER_PASSWORD", "not-a-secret")
    profile = load_profile(ROOT / "deploy" / "council.yml")
    assert [source.name for source in profile.sources] == ["systmone", "liquidlogic", "carefirst"]
