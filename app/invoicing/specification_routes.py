"""Give out time specifications, always the same bytes."""

import base64
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response

from app.access.caller import Scope
from app.invoicing.papers.keep_specification import Kind, specification_of
from app.invoicing.show import existing_draft
from app.links.reach import Reached, reach
from app.problems import responses
from app.runtime import Running

router = APIRouter()
MayRead = Annotated[Reached, Depends(reach(Scope.SPECIFICATIONS_READ))]
_COMMON: Final = ("not-signed-in", "scope-missing", "not-found", "invalid-request")
_TYPES: Final[dict[Kind, str]] = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8"}
_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The specification; `Repr-Digest` is the SHA-256 of its bytes.",
        "content": {
            "application/pdf": {
                "schema": {"type": "string", "format": "binary"}, "example": "%PDF-1.7 …",
            },
            "text/csv": {
                "schema": {"type": "string"},
                "example": "Nummer;Person;Dag\r\nTR-7K3QF9M2;Kari Fjellvåg;2026-11-20\r\n",
            },
        },
    }
}  # fmt: skip


@router.get(
    "/v1/links/{link_id}/invoice-drafts/{draft_id}/specification.{kind}",
    tags=["drafts"],
    operation_id="getSpecification",
    summary="Download a draft's time specification as PDF or CSV.",
    response_class=Response,
    responses={**_FILE, **responses(*_COMMON, "draft-state", "specification-failed")},
)
async def get_specification(
    draft_id: UUID,
    kind: Annotated[Kind, Path(description="`pdf` or `csv`.")],
    reached: MayRead,
    runtime: Running,
) -> Response:
    """
    Use this for the paper the law asks for: per person, day and project, with the draft's mark.

    It is made at the first download and never changes after. Scope `specifications:read`.
    """
    draft = await existing_draft(runtime, reached.link_id, draft_id)
    kept = await specification_of(runtime, reached.link_id, draft, kind)
    digest = base64.b64encode(kept.sha256).decode()
    return Response(
        kept.content,
        media_type=_TYPES[kind],
        headers={
            "Content-Disposition": f'attachment; filename="{draft.mark}.{kind}"',
            "ETag": f'"{kept.sha256.hex()}"',
            "Repr-Digest": f"sha-256=:{digest}:",
            "Cache-Control": "private, max-age=31536000, immutable",
        },
    )
