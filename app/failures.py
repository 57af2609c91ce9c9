"""Answer every failure of the app as a problem document; nothing of an exception's text leaks."""

from collections.abc import Iterator, Sequence
from typing import Final

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from app.problems import FieldError, Problem, answer, request_id_of
from app.trail import trail_of

_log = structlog.get_logger()

_BY_STATUS: Final = {
    404: "not-found",
    408: "request-timeout",
    413: "body-too-large",
    415: "unsupported-media-type",
}


def install_handlers(app: FastAPI) -> None:
    """Make every failure of the app a problem document, the unforeseen ones too."""

    @app.exception_handler(Problem)
    async def _problem(request: Request, exc: Problem) -> JSONResponse:
        return answer(request, exc)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, exc: RequestValidationError) -> JSONResponse:
        if _is_of_another_kind(request, exc):
            return answer(request, Problem("unsupported-media-type"))
        return answer(request, invalid_request(exc))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, exc: HTTPException) -> JSONResponse:
        code = _BY_STATUS.get(exc.status_code, "bad-request")
        return answer(request, Problem(code, headers=exc.headers))

    @app.exception_handler(PoolTimeout)
    @app.exception_handler(DBAPIError)
    async def _database(request: Request, exc: PoolTimeout | DBAPIError) -> JSONResponse:
        return answer(request, _of_database(request, exc))

    @app.exception_handler(Exception)
    async def _internal(request: Request, exc: Exception) -> JSONResponse:
        _log_fault(request, exc)
        # Starlette sends this one answer outside of all middleware, so Edge cannot add its headers.
        headers = {"X-Request-Id": request_id_of(request), "X-Content-Type-Options": "nosniff"}
        return answer(request, Problem("internal-error", headers=headers))


def _of_database(request: Request, exc: PoolTimeout | DBAPIError) -> Problem:
    if isinstance(exc, PoolTimeout | OperationalError) or exc.connection_invalidated:
        return Problem("database-unavailable", headers={"Retry-After": "5"})
    if isinstance(exc.orig, psycopg.DataError) and exc.orig.sqlstate in (None, "22021", "22P05"):
        # No text of the database can hold U+0000: the driver, a column or JSON refuses it.
        return Problem("invalid-request")
    _log_fault(request, exc)
    return Problem("internal-error")


def _log_fault(request: Request, exc: Exception) -> None:
    """Log where a fault of ours happened; its text may hold a person's data and stays out."""
    _log.error(
        "request failed",
        request_id=request_id_of(request),
        error=type(exc).__name__,
        traceback=trail_of(exc),
    )


def _is_of_another_kind(request: Request, exc: RequestValidationError) -> bool:
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    plain = kind.lower() == "application/json" or kind.lower().endswith("+json")
    whole = any(e["loc"] == ("body",) and e["type"] != "missing" for e in exc.errors())
    return whole and not plain


def invalid_request(exc: RequestValidationError) -> Problem:
    """Turn FastAPI's findings into one problem that points at each fault and repeats no value."""
    errors = exc.errors()
    if any(error["type"] == "json_invalid" for error in errors):
        return Problem("malformed-json")
    return Problem(
        "invalid-request",
        errors=[FieldError(_pointer(e["loc"]), str(e["type"]), str(e["msg"])) for e in errors],
    )


def require_known_query(request: Request) -> None:
    """
    Refuse query parameters that the request's operation does not declare.

    One that is misspelt would be passed over, and a list be given whole that was to be narrowed.

    Raises:
        Problem: ``invalid-request`` (422), naming each.

    """
    if not request.query_params:
        return
    unknown = set(request.query_params) - set(_declared(request.scope["route"].dependant))
    if unknown:
        errors = [
            FieldError(f"#query/{name}", "extra_forbidden", "There is no such query parameter")
            for name in sorted(unknown)
        ]
        raise Problem("invalid-request", errors=errors)


def _declared(dependant: Dependant) -> Iterator[str]:
    yield from (parameter.alias for parameter in dependant.query_params)
    for below in dependant.dependencies:
        yield from _declared(below)


def _pointer(location: Sequence[object]) -> str:
    where, *rest = (str(part) for part in location)
    return "/".join(["" if where == "body" else f"#{where}", *rest])
