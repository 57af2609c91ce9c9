"""What the OpenAPI document allows and forbids, thrown at the running service: never a 500."""

from copy import deepcopy
from typing import Any

import httpx
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

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("stories")]

# A rule of ours may refuse what the schema allows; each refusal is documented, which is checked.
CHECKS = ChecksConfig(
    positive_data_acceptance=PositiveDataAcceptanceConfig(
        expected_statuses=[
            "2xx", "400", "401", "403", "404", "409", "410", "412", "415", "422", "428", "503",
        ]
    ),
    missing_required_header=MissingRequiredHeaderConfig(
        expected_statuses=["400", "401", "415", "422", "428"]
    ),
)  # fmt: skip
SHEETS = (
    "text/csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)


@schemathesis.serializer(*SHEETS)
def _as_bytes(_context: object, value: object) -> bytes:
    """A file goes out as it is."""
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


ENDS_THE_LINK = ("delete", "/v1/links/{link_id}")


def _of_one_link(document: dict[str, Any], link_id: str) -> dict[str, Any]:
    """The document with every `link_id` the one that is there, and without its end."""
    narrowed = deepcopy(document)
    del narrowed["paths"][ENDS_THE_LINK[1]][ENDS_THE_LINK[0]]
    for operations in narrowed["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "link_id":
                    parameter["schema"] = {"type": "string", "enum": [link_id]}
    return narrowed


def _failures(event: events.ScenarioFinished) -> list[str]:
    return [
        f"{event.label}: {check.name}: {check.failure_info.failure.message}"
        for checks in event.recorder.checks.values()
        for check in checks
        if check.status is Status.FAILURE and check.failure_info is not None
    ]


def test_no_operation_breaks_or_answers_what_it_does_not_document(theatre: Any) -> None:
    """Six made-up calls for each operation, as an administrator of a link that is in use."""
    theatre.start_service()
    theatre.start_worker()
    theatre.first_sync()
    service = theatre.addresses.service
    document = _of_one_link(httpx.get(f"{service}/openapi.json").json(), theatre.people.link_id)
    config = SchemathesisConfig(
        seed=1,
        cache=CacheConfig(enabled=False),
        projects=ProjectsConfig(
            default=ProjectConfig(
                base_url=service,
                headers=dict(theatre.people.headers),
                continue_on_failure=True,
                checks=CHECKS,
                generation=GenerationConfig(max_examples=6, database="none"),
            )
        ),
    )
    config.projects.default.phases.coverage.enabled = False
    config.projects.default.phases.stateful.enabled = False
    schema = schemathesis.openapi.from_dict(document, config=config)

    found: list[str] = []
    tried = set()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            tried.add(event.label)
            found.extend(_failures(event))
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.append(str(event))

    assert sorted(set(found)) == []
    assert len(tried) > 40
