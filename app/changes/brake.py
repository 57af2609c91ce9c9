"""Decide whether a sweep found so much that a person must look first; pure."""


def stops(*, changed: int, pairs: int, share_percent: int, least: int) -> bool:
    """
    Say whether so many changed pairs stop the link.

    Both bounds must be passed: a handful is never a mass change, whatever its share.

    Args:
        changed: Pairs in which a record changed or vanished since the sweep before.
        pairs: All pairs of the link.

    """
    return changed >= least and changed * 100 > pairs * share_percent
