"""Throw what the contract allows and forbids at the twin, in process."""

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

from app.sandbox.conta import create_twin
from app.sandbox.openapi import Contract

# Business rules are no schema faults: what a schema allows may still be refused with these.
REFUSED_BY_RULE = ["400", "401", "402", "403", "404", "409", "410", "412", "422"]
CHECKS = ChecksConfig(
    positive_data_acceptance=PositiveDataAcceptanceConfig(
        expected_statuses=["2xx", "3xx", *REFUSED_BY_RULE, "429", "5xx"]
    ),
    missing_required_header=MissingRequiredHeaderConfig(
        expected_statuses=["400", "401", "403", "406", "415", "422", "428"]
    ),
)


def described_for_one_organization() -> dict[str, Any]:
    """The contract, narrowed to the organization that the demo key reaches."""
    document = deepcopy(Contract("conta").document)
    path_id = document["components"]["parameters"]["opContextOrgId"]
    path_id["schema"] = {"type": "integer", "enum": [1001]}
    return document


def configured(seed: int) -> SchemathesisConfig:
    project = ProjectConfig(
        headers={"apiKey": "conta-demo-key"},
        continue_on_failure=True,
        checks=CHECKS,
        generation=GenerationConfig(max_examples=8, database="none"),
    )
    return SchemathesisConfig(
        seed=seed,
        cache=CacheConfig(enabled=False),
        projects=ProjectsConfig(default=project),
    )


def failures_of(event: events.ScenarioFinished) -> list[str]:
    return [
        f"{event.label}: {check.name}: {check.failure_info.failure.message}"
        for checks in event.recorder.checks.values()
        for check in checks
        if check.status is Status.FAILURE and check.failure_info
    ]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_twin_is_true_to_the_contract(seed: int) -> None:
    """Every check of schemathesis holds in each of its phases."""
    schema = schemathesis.openapi.from_dict(
        described_for_one_organization(), config=configured(seed)
    )
    twin = create_twin()
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
    assert done["coverage"] > 200
    assert done["fuzzing"] > 100
    assert done["stateful"] > 0
