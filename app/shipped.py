"""Find the files that stand beside the code: in a checkout at its root, else where pip put them."""

import sysconfig
from pathlib import Path
from typing import Final

_CHECKOUT: Final = Path(__file__).parent.parent
_INSTALLED: Final = Path(sysconfig.get_path("data")) / "share" / "timerabbit-conta"


def shipped(name: str) -> Path:
    """
    Give the path of a file or folder that is shipped with the code, such as ``alembic.ini``.

    Args:
        name: As it stands in a checkout; ``[tool.setuptools.data-files]`` must list it.

    """
    beside = _CHECKOUT / name
    return beside if beside.exists() else _INSTALLED / name
