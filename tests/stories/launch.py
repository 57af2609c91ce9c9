"""Start the service or a worker that kills itself with -9 at a named commit point.

``python tests/stories/launch.py serve|worker POINT before|after NTH [PORT]``
"""

import os
import signal
import sys
from typing import Literal

from app.cli import serve, work
from app.database import CommitPoint
from app.find_database import complete_settings


class Death:
    """Die at the n-th passing of a point."""

    def __init__(self, point: CommitPoint, when: str, nth: int) -> None:
        self._point = point
        self._when = when
        self._left = nth

    def __call__(self, point: CommitPoint, when: Literal["before", "after"]) -> None:
        if point is self._point and when == self._when:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def main() -> int:
    process, point, when, nth, *port = sys.argv[1:]
    death = Death(CommitPoint(point), when, int(nth))
    if process == "serve":
        return serve(complete_settings(), host="127.0.0.1", port=int(port[0]), hook=death)
    return work(complete_settings(), hook=death)


if __name__ == "__main__":
    sys.exit(main())
