"""Tell the main job from start to end, through the public API.

Each step proven in the twins' stores.
"""

import fcntl
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from app.demo.hours import tell_drafts
from app.demo.linking import tell_connecting, tell_first_sync
from app.demo.people import People, StoryFailed
from app.demo.processes import (
    ENDING,
    Addresses,
    Stage,
    environment,
    heed_no_more_signals,
    new_keyring,
    signals_held,
    start_all,
)
from app.demo.screen import Screen
from app.demo.syncing import tell_sync

DATA = Path(".data") / "demo"
_LOOK_SECONDS = 1.0


def tell(*, keep: bool, serve_only: bool) -> int:
    """
    Start everything and tell the story; gives the exit code, 0 only if every step was true.

    Args:
        keep: Leave everything running afterwards and say where to click.
        serve_only: Start everything and tell nothing.

    """
    _end_in_order()
    DATA.mkdir(parents=True, exist_ok=True)
    with (DATA / "told.lock").open("w") as lock:  # given back by the kernel, however we end
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            Screen().failed(
                "Another demo or serve runs in this checkout; end that one first.",
                heading="Not started",
            )
            return 1
        return _tell(keep=keep, serve_only=serve_only)


def _tell(*, keep: bool, serve_only: bool) -> int:
    screen, addresses = Screen(), Addresses.on_free_ports()
    settings = environment(addresses, data_dir=DATA, keyring=new_keyring())
    started = time.monotonic()
    with Stage(settings, DATA / "log") as stage:
        people = People(addresses)
        try:
            _begin(stage, addresses, screen)
            if not serve_only:
                _story(people, screen)
                screen.console.print(
                    f"\n[bold green]All true, in {time.monotonic() - started:.0f} s.[/]"
                )
            if keep or serve_only:
                _stay(stage, addresses, screen, story_told=not serve_only)
        except KeyboardInterrupt:
            screen.ending()
            raise
        except (StoryFailed, RuntimeError) as failure:
            screen.failed(str(failure))
            _explain(stage, screen)
            return 1
        finally:
            heed_no_more_signals()
            people.close()
    return 0


def _end_in_order() -> None:
    """
    Let every way to end the demo end its processes too, as Ctrl+C does.

    Only the first one counts: one more would break off the ending.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        heed_no_more_signals()
        raise KeyboardInterrupt

    for number in ENDING:
        signal.signal(number, interrupt)


def _explain(stage: Stage, screen: Screen) -> None:
    """Tell what the processes printed last, those first that ended by themselves."""
    ended = stage.ended()
    for name in sorted(("sandbox", "service", "worker"), key=lambda one: one not in ended):
        code = f" ended by itself with exit code {ended[name]}" if name in ended else ""
        said = stage.log_end(name)
        if code or said:
            screen.told(f"--- {name}{code}; {stage.folder / name}.log ends:")
            screen.console.print(said, markup=False, soft_wrap=True)


def _begin(stage: Stage, addresses: Addresses, screen: Screen) -> None:
    screen.step("Start: PostgreSQL, two twins, the service, one worker")
    with signals_held(screen.ending):  # a database half made or half removed lets nobody in
        _empty_database()
    start_all(stage, addresses)
    screen.table(
        ("process", "address"),
        (("Conta (twin)", addresses.conta), ("Timerabbit (twin)", addresses.timerabbit),
         ("service", addresses.service), ("worker", "no address; takes jobs from the database")),
    )  # fmt: skip
    screen.told("The twins stand in for both systems; a step with ✓ was verified in their stores.")
    screen.told("The service speaks Norwegian (nb, nn) and English; here it is asked in English.")


def _empty_database() -> None:
    """Begin with an empty database.

    Each story has new twins, so old links would have no partner.
    """
    from app.embedded import DATABASE, start_embedded

    server = start_embedded(DATA)
    server.drop_database(DATABASE)
    server.create_database(DATABASE)


def _story(people: People, screen: Screen) -> None:
    people.sign_in()
    tell_connecting(people, screen)
    tell_first_sync(people, screen)
    tell_sync(people, screen)
    tell_drafts(people, screen, folder=DATA)


def _stay(stage: Stage, addresses: Addresses, screen: Screen, *, story_told: bool) -> None:
    """Stay until told to end, and tell of each process that ends by itself meanwhile."""
    told: set[str] = set()
    try:
        _tell_where(addresses, screen, story_told=story_told)
        while True:
            for name, code in stage.ended().items():
                if name not in told:
                    told.add(name)
                    _tell_ended(stage, name, code, screen)
            time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        screen.ending()


def _tell_ended(stage: Stage, name: str, code: int, screen: Screen) -> None:
    log = stage.folder / f"{name}.log"
    screen.told(f"{name} ended by itself with exit code {code}; see {log}.")
    screen.told("The others stay up; Ctrl+C ends them, and a new start brings all of them back.")
    sys.stdout.flush()


def _tell_where(addresses: Addresses, screen: Screen, *, story_told: bool) -> None:
    after = " (run it on make serve: its step 6 finds no certain line here)" if story_told else ""
    screen.step("Everything stays up; Ctrl+C ends it")
    screen.table(
        ("what", "where"),
        (("the pages, and the API to click", f"{addresses.service}/docs/"),
         (f"the first hour, in curl{after}", f"{addresses.service}/docs/first-hour"),
         ("play a person in Conta", addresses.conta),
         ("play a person in Timerabbit", addresses.timerabbit),
         ("metrics", f"{addresses.service}/metrics")),
    )  # fmt: skip
    screen.told("For another shell, in this folder: the addresses, and the operator's look")
    screen.copied(shell_line(addresses))
    screen.copied(f"TC_DATA_DIR={DATA} {_command()} status --language en")
    sys.stdout.flush()


def shell_line(addresses: Addresses) -> str:
    """Write the line that puts the addresses into the variables that the first hour uses."""
    return (
        f"export SERVICE={addresses.service} CONTA={addresses.conta}"
        f" TIMERABBIT={addresses.timerabbit}"
    )


def _command() -> str:
    """Give the command as one types it here: that of the checkout, else the installed one."""
    own = Path(".venv") / "bin" / "timerabbit-conta"
    return str(own) if own.exists() else "timerabbit-conta"
