"""Be the bare limit: FastAPI and psycopg, the same verification, one insert, one commit."""

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from psycopg_pool import AsyncConnectionPool

from app.systems.signatures import BadSignature, decode_secret, verify

POOL = AsyncConnectionPool(
    os.environ["BENCH_DATABASE"], min_size=8, max_size=8, open=False, kwargs={"autocommit": True}
)
SECRET = decode_secret(os.environ["BENCH_SECRET"])


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG001 - FastAPI hands it in
    """Hold the pool open."""
    async with POOL:
        yield


app = FastAPI(lifespan=lifespan, openapi_url=None)


@app.post("/hook")
async def hook(request: Request) -> Response:
    """Verify, insert, commit, answer."""
    body = await request.body()
    try:
        verify(request.headers, body, secrets=[SECRET], now=int(time.time()))
    except BadSignature:
        return Response(status_code=401)
    async with POOL.connection() as connection:
        await connection.execute(
            "INSERT INTO bare (delivery_id, body) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (request.headers["webhook-id"], body),
        )
    return Response(b'{"accepted":true}', status_code=202, media_type="application/json")
