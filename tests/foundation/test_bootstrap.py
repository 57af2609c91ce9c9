"""What a process builds at its start is left out of the collector's looks."""

import gc

from app.bootstrap import COLLECT_AFTER, leave_to_stay


def test_what_was_built_is_no_work_for_the_collector() -> None:
    before = gc.get_threshold()
    try:
        leave_to_stay()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold() == COLLECT_AFTER
        assert gc.isenabled()
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
