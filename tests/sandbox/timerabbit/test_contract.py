"""Throw what the contract allows and forbids at the twin, in process."""

from base64 import b64encode
from copy import deepcopy
from typing import Any

import pytest
import schemathesis
from schemathesis.config import (
    CacheConfig,
    ChecksConfig,
    GenerationConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.config._checks import MissingRequiredHeaderConfig
from schemathesis.engine import Status, events, from_schema

from app.sandbox.openapi import Contract
from app.sandbox.timerabbit import create_twin
from app.sandbox.timerabbit.oauth import OAuth

# Business rules are no schema faults: what a schema allows may still be refused with these.
REFUSED_BY_RULE = ["400", "401", "402", "403", "404", "409", "410", "412", "422"]
CHECKS = ChecksConfig(
    positive_data_acceptance=PositiveDataAcceptanceConfig(
        expected_statuses=["2xx", "3xx", *REFUSED_BY_RULE]
    ),
    missing_required_header=MissingRequiredHeaderConfig(
        expected_statuses=["400", "401", "403", "406", "415", "422", "428"]
    ),
)
SERVED_ELSEWHERE = ("/oauth/authorize", "/oauth/token")


def described_log_in() -> dict[str, Any]:
    """The contract's log-in and token endpoint, which the twin serves beside the API."""
    document = deepcopy(Contract("timerabbit").document)
    document["paths"] = {path: document["paths"][path] for path in SERVED_ELSEWHERE}
    for item in document["paths"].values():
        item.pop("servers")
    document.pop("webhooks")
    document["servers"] = [{"url": "/"}]
    return document


def described() -> dict[str, Any]:
    """The contract's integration API, at the path where the twin serves it."""
    document = deepcopy(Contract("timerabbit").document)
    document["paths"] = {
        f"/integration/v1{path}": item
        for path, item in document["paths"].items()
        if path not in SERVED_ELSEWHERE
    }
    document.pop("webhooks")
    document["servers"] = [{"url": "/"}]
    return document


def configured(seed: int, authorization: str) -> SchemathesisConfig:
    project = ProjectConfig(
        headers={"Authorization": authorization},
        continue_on_failure=True,
        checks=CHECKS,
        generation=GenerationConfig(max_examples=3, database="none"),
    )
    return SchemathesisConfig(
        seed=seed, cache=CacheConfig(enabled=False), projects=ProjectsConfig(default=project)
    )


def failures_of(event: events.ScenarioFinished) -> list[str]:
    return [
        f"{event.label}: {check.name}: {check.failure_info.failure.message}"
        for checks in event.recorder.checks.values()
        for check in checks
        if check.status is Status.FAILURE and check.failure_info
    ]


def run(schema: Any, twin: Any) -> dict[str, int]:
    """Let schemathesis do its work; nothing may be untrue. Gives the cases of each phase."""
    schema.app = twin
    found: list[str] = []
    done: dict[str, int] = {}
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            found += failures_of(event)
            done[event.phase.value] = done.get(event.phase.value, 0) + len(event.recorder.cases)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.append(repr(event))
    assert found == []
    assert list(twin.state.twin.violations.answers) == []
    return done


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_twin_is_true_to_the_contract(seed: int) -> None:
    """Every check of schemathesis holds in each of its phases."""
    twin = create_twin()
    twin.state.hooks.habits["cmp_1"] = type("Off", (), {"mode": "off", "seconds": 0})()
    token = OAuth(twin.state.twin).grant("timerabbit-conta", "cmp_1", family="test")
    config = configured(seed, f"Bearer {token['access_token']}")

    done = run(schemathesis.openapi.from_dict(described(), config=config), twin)

    assert done["coverage"] > 200
    assert done["fuzzing"] > 100
    assert done["stateful"] > 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_log_in_and_tokens_are_true_to_the_contract(seed: int) -> None:
    """So are the two operations that stand beside the API, with our own client's secret."""
    secret = b64encode(b"timerabbit-conta:sandbox-secret").decode()
    config = configured(seed, f"Basic {secret}")

    done = run(schemathesis.openapi.from_dict(described_log_in(), config=config), create_twin())

    assert done["coverage"] > 20
    assert done["fuzzing"] > 5
