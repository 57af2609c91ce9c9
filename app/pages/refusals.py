"""Turn what another system answered, and what the framework refuses, into problem documents."""

from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.links.system_problems import problem_of
from app.problems import Problem, answer
from app.systems.ports import SystemFault


def install_system_handlers(app: FastAPI) -> None:
    """Answer the five errors of other systems as problems."""

    @app.exception_handler(SystemFault)
    async def _fault(request: Request, exc: SystemFault) -> JSONResponse:
        return answer(request, problem_of(exc))


_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


def install_framework_handlers(app: FastAPI) -> None:
    """Say more of two refusals than the framework does by itself."""

    @app.exception_handler(405)
    async def _method(request: Request, _exc: HTTPException) -> JSONResponse:
        allowed = [method for method in _METHODS if _is_routed(request, method)]
        if "GET" in allowed:
            allowed.insert(1, "HEAD")  # answered at the edge
        headers = {"Allow": ", ".join(allowed)}
        return answer(request, Problem("method-not-allowed", headers=headers))

    @app.exception_handler(400)
    async def _bad(request: Request, exc: HTTPException) -> JSONResponse:
        # JSON that is nested deeper than anything of ours can be read.
        too_deep = isinstance(exc.__cause__, RecursionError)
        code = "malformed-json" if too_deep else "bad-request"
        return answer(request, Problem(code, headers=exc.headers))


def _is_routed(request: Request, method: str) -> bool:
    """Say whether the path has an operation of this method; the framework names the first only."""
    scope = {**request.scope, "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes)
