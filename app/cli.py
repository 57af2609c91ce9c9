"""Start what is asked for, as ``--help`` lists it; imports stand inside commands."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from app.database import Hook
    from app.operating.commands import Deed
    from app.settings import Settings

Command = Callable[[argparse.Namespace], int]

_REGISTERS = """\
A register's first row names its columns, in any order: id, customer_number, type, name, org_number,
address, postal_code, city, email, phone, and contact_person, which may be left out.
type is bedrift or company, privat or private, or empty. Commas or semicolons, UTF-8 or
Windows-1252; a row whose id has stood before is refused.

decision is match (linked without asking), review (a person must look) or new (no counterpart; one
of the ids is empty).
"""

TWINS = ("conta", "timerabbit", "enhetsregisteret")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code: 2 when a setting, argument or role is wrong."""
    parsed = _parser().parse_args(arguments)
    command: Command = parsed.command
    from app.settings import SettingsInvalid

    try:
        return command(parsed)
    except SettingsInvalid as err:
        return _refuse(str(err))
    except KeyboardInterrupt:
        return 130


def _refuse(message: str) -> int:
    print(f"timerabbit-conta: {message}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="timerabbit-conta", description="Joins hours in Timerabbit to books in Conta."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Command, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=command)
        return sub

    serve = add("serve", _serve, "Serve the API.")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=_port, default=8000, help="0 takes a free port")
    add("worker", _worker, "Carry out jobs until told to stop.")
    migrate = add("migrate", _migrate, "Bring the database to the newest revision.")
    migrate.add_argument("--revision", type=_revision, default="head")
    status = add("status", _status, "Say what is wrong, over all links; exit 1 if something is.")
    status.add_argument("--language", choices=("nb", "nn", "en"), default="nb")
    status.add_argument("--json", action="store_true", help="for a program")
    retry = add("retry", _retry, "Look again at all that is parked, after its cause was mended.")
    retry.add_argument("link", nargs="?", type=UUID, help="only this link's")
    retry.add_argument("--code", help="only what is parked for this reason")
    retry.add_argument("--dry-run", action="store_true", help="count only")
    check = add("check", _check, "Check hours and sums of all links; exit 1 if something is wrong.")
    check.add_argument("--link", type=UUID, help="only this link's")
    check.add_argument("--language", choices=("nb", "nn", "en"), default="nb")
    check.add_argument("--json", action="store_true", help="for a program")
    sandbox = add("sandbox", _sandbox, "Run the twins of both systems.")
    sandbox.add_argument("--only", choices=TWINS, help="run one twin alone")
    sandbox.add_argument("--host", default="127.0.0.1")
    sandbox.add_argument("--conta-port", type=_port, default=8082)
    sandbox.add_argument("--timerabbit-port", type=_port, default=8081)
    sandbox.add_argument(
        "--enhetsregisteret-port", type=_port, help="serve the business register's twin there too"
    )
    sandbox.add_argument(
        "--seed", type=_seed, default="demo", help="demo, empty, or a number of customers"
    )
    demo = add("demo", _demo, "Tell the whole story against the twins.")
    demo.add_argument("--keep", action="store_true", help="leave everything running afterwards")
    demo.add_argument("--serve", action="store_true", help="start everything, tell no story")
    match = add("match", _match, "Match two customer registers (CSV).")
    match.epilog, match.formatter_class = _REGISTERS, argparse.RawDescriptionHelpFormatter
    match.add_argument("timerabbit", type=Path, help="Timerabbit's customers")
    match.add_argument("conta", type=Path, help="Conta's customers")
    match.add_argument(
        "--out", type=Path, required=True, help="gets timerabbit_id,conta_id,decision"
    )
    match.add_argument("--duplicates", type=Path, help="gets side,id_a,id_b")
    match.add_argument("--invalid", type=Path, help="gets side,id,reason")
    bench = add("bench", _bench, "Measure the ratios (in a checkout).")
    bench.add_argument("names", nargs="*", help="only these benches")
    return parser


def _port(text: str) -> int:
    if text.isdecimal() and int(text) < 65_536:
        return int(text)
    raise argparse.ArgumentTypeError("a number from 0 to 65535")


def _revision(text: str) -> str:
    if text.strip():
        return text
    raise argparse.ArgumentTypeError("a revision, or head for the newest")


def _seed(text: str) -> str:
    if text in {"demo", "empty"} or text.isdecimal():
        return text
    raise argparse.ArgumentTypeError("demo, empty, or a number of customers")


def _migrate(arguments: argparse.Namespace) -> int:
    from app.find_database import find_database
    from app.migrate import NotMigrated, upgrade

    settings = find_database()
    if settings.migration_url is None:
        return _refuse("TC_MIGRATION_URL: missing")
    try:
        print("database is at", upgrade(settings.migration_url, arguments.revision))
    except NotMigrated as err:
        return _refuse(str(err))
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from app.operating.commands import tell_status

    asked = {"language": arguments.language, "as_json": arguments.json}
    return _as_operator(lambda runtime: tell_status(runtime, **asked))


def _retry(arguments: argparse.Namespace) -> int:
    from app.canonical import LinkId
    from app.operating.commands import retry

    link_id = LinkId(arguments.link) if arguments.link else None
    asked = {"code": arguments.code, "dry_run": arguments.dry_run}
    return _as_operator(lambda runtime: retry(runtime, link_id, **asked))


def _check(arguments: argparse.Namespace) -> int:
    from app.canonical import LinkId
    from app.operating.commands import check

    link_id = LinkId(arguments.link) if arguments.link else None
    asked = {"language": arguments.language, "for_program": arguments.json}
    return _as_operator(lambda runtime: check(runtime, link_id, **asked))


def _as_operator(deed: "Deed") -> int:
    from app.find_database import find_database
    from app.operating.commands import NotCarriedOut, carry_out

    try:
        return carry_out(find_database(found_only=True), deed)
    except NotCarriedOut as err:
        return _refuse(str(err))


def _serve(arguments: argparse.Namespace) -> int:
    from app.find_database import complete_settings

    _end_when_told()
    return serve(complete_settings(), host=arguments.host, port=arguments.port)


def _worker(_arguments: argparse.Namespace) -> int:
    from app.find_database import complete_settings

    _end_when_told()
    return work(complete_settings())


def _end_when_told() -> None:
    """End with 0 on a SIGTERM that comes while a process still starts and has taken no work."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))


def serve(settings: "Settings", *, host: str, port: int, hook: "Hook | None" = None) -> int:
    """Serve the API until SIGTERM; running requests get the time the settings allow."""
    import structlog
    import uvicorn

    from app.bootstrap import checked_runtime, leave_to_stay
    from app.edge import listening
    from app.main import create_app

    runtime = checked_runtime(settings, hook)
    try:
        line = listening(host, port)
    except OSError as err:
        return _refuse(f"cannot listen on {host}:{port}: {err.strerror or err}")
    config = uvicorn.Config(
        create_app(runtime),
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=int(settings.shutdown_seconds),
        timeout_keep_alive=30,
    )
    server = uvicorn.Server(config)
    leave_to_stay()
    # uvicorn drains and then raises the signal anew; dying of it would skip what runs at exit,
    # and the embedded database would never learn that its last user has gone.
    # One that comes before uvicorn listens for it is heeded all the same.
    signal.signal(signal.SIGTERM, lambda _number, _frame: setattr(server, "should_exit", True))
    structlog.get_logger().info("serving", address=f"http://{host}:{line.getsockname()[1]}")
    server.run(sockets=[line])
    return 0 if server.started else 3


def work(settings: "Settings", *, hook: "Hook | None" = None) -> int:
    """Carry out jobs until SIGTERM; running ones get the time the settings allow."""
    import uvloop

    from app.bootstrap import checked_runtime, leave_to_stay, show_metrics
    from app.systems.pace import Role
    from app.worker import run_worker

    runtime = checked_runtime(settings, hook, role=Role.WORKER)
    show_metrics(runtime)
    leave_to_stay()

    async def until_told() -> None:
        try:
            await run_worker(runtime)
        finally:
            await runtime.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(until_told())
    return 0


def _sandbox(arguments: argparse.Namespace) -> int:
    from app.sandbox.start import start

    return start(
        only=arguments.only, host=arguments.host, conta_port=arguments.conta_port,
        timerabbit_port=arguments.timerabbit_port,
        register_port=arguments.enhetsregisteret_port, seed=arguments.seed,
    )  # fmt: skip


def _demo(arguments: argparse.Namespace) -> int:
    from app.demo.story import tell

    return tell(keep=arguments.keep, serve_only=arguments.serve)


def _match(arguments: argparse.Namespace) -> int:
    from app.records.matching.benchmark import WouldOverwrite, run
    from app.records.matching.registers import NotARegister

    files = (arguments.timerabbit, arguments.conta, arguments.out)
    try:
        counted = run(*files, duplicates=arguments.duplicates, invalid=arguments.invalid)
    except (NotARegister, WouldOverwrite) as err:
        return _refuse(str(err))
    except OSError as err:
        return _refuse(f"{err.filename}: {err.strerror}")
    for note in counted.notes:
        print(f"timerabbit-conta: {note}", file=sys.stderr)
    print(counted)
    return 0


def _bench(arguments: argparse.Namespace) -> int:
    from app.shipped import shipped

    folder = shipped("bench")
    if not (folder / "run.py").is_file():
        return _refuse("bench runs in a checkout of the project only")
    import runpy

    sys.argv = ["bench", *arguments.names]
    sys.path.insert(0, str(folder.parent))
    runpy.run_path(str(folder / "run.py"), run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
