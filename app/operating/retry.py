"""Look again at what is parked, over one link or all, after its cause was mended."""

from app.canonical import LinkId
from app.changes.inbox import Chosen, count_changes, look_again
from app.changes.store import ChangeState
from app.database import CommitPoint
from app.links.store import DirectoryEntry
from app.operating.named_links import named_links
from app.problems import catalogue
from app.runtime import Runtime


class NotRetried(Exception):  # noqa: N818 - named by what happened
    """Say in one sentence why nothing was looked at: what was asked for cannot be meant."""


async def retry_parked(
    runtime: Runtime, link_id: LinkId | None, *, code: str | None = None, dry_run: bool = False
) -> int:
    """
    Make parked changes due now and give how many; repeating it does no harm.

    Args:
        link_id: One link, or ``None`` for all that are not closed.
        code: Only what is parked for this reason.
        dry_run: Count only.

    Raises:
        NotRetried: There is no such link or code, or the database has no tables.

    """
    if code is not None and code not in catalogue():
        raise NotRetried(f"no code {code}; status names those that something is parked for")
    chosen = Chosen(state=ChangeState.PARKED, code=code)
    now = runtime.clock()
    total = 0
    parked = DirectoryEntry.parked > 0
    for one in await named_links(runtime, link_id, parked, refusal=NotRetried):
        async with runtime.database.transaction(CommitPoint.PLAIN, one) as session:
            if dry_run:
                total += await count_changes(session, one, chosen)
            else:
                total += len(await look_again(session, one, chosen, now=now))
    return total
