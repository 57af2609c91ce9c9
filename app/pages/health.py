"""Say whether the process lives, whether it can serve, and what it has counted."""

import asyncio
from typing import Final

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.changes.measure import measure_links
from app.database import is_migrated, role_fault
from app.runtime import Running, Runtime

router = APIRouter(include_in_schema=False)

_PATIENCE_SECONDS: Final = 2.0
_AWAY: Final = (DBAPIError, PoolTimeout, TimeoutError)


@router.get("/health/live")
async def live() -> dict[str, str]:
    """Say that the process answers; asks nobody else."""
    return {"status": "alive"}


@router.get("/health/ready")
async def ready(runtime: Running) -> JSONResponse:
    """Say whether requests can be served.

    The database answers, is migrated and binds our role, and the key ring opens; each fault is
    named.
    """
    faults = [
        fault
        for fault in (await _database_fault(runtime), _keyring_fault(runtime))
        if fault is not None
    ]
    return JSONResponse(
        {"status": "unready" if faults else "ready", "faults": faults},
        status_code=503 if faults else 200,
    )


async def _database_fault(runtime: Runtime) -> str | None:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            if not await is_migrated(runtime.database):
                return "database-not-migrated"
            # Asked each time: at the start the database may have been away, or without tables.
            unbound = await role_fault(runtime.database)
            return None if unbound is None else "database-role-unbound"
    except _AWAY:
        return "database-unavailable"


def _keyring_fault(runtime: Runtime) -> str | None:
    return None if runtime.vault.ready else "keyring-missing"


@router.get("/metrics")
async def metrics(runtime: Running) -> Response:
    """Give the counters in Prometheus' text form.

    Gauges over all links are read from the directory; without a database they are NaN, and what the
    process itself counted is told all the same.
    """
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await measure_links(runtime)
    except _AWAY:
        runtime.metrics.forget_links()
    return Response(generate_latest(runtime.metrics.registry), media_type=CONTENT_TYPE_LATEST)
