"""Find the files that are shipped with the code, and read the texts for people among them."""

import json
import sysconfig
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

_CHECKOUT: Final = Path(__file__).parent.parent
_INSTALLED: Final = Path(sysconfig.get_path("data")) / "share" / "timerabbit-conta"


def shipped(name: str) -> Path:
    """
    Give the path of a file or folder that stands beside the code, such as ``alembic.ini``.

    In a checkout that is its root, else where pip put it.

    Args:
        name: As it stands in a checkout; ``[tool.setuptools.data-files]`` must list it.

    """
    beside = _CHECKOUT / name
    return beside if beside.exists() else _INSTALLED / name


@cache
def read_texts(path: Path) -> Mapping[str, Any]:
    """
    Read texts that lie beside the module which says them, the first time only; change none.

    Args:
        path: A file of JSON with texts by code and language.

    """
    texts: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return texts
