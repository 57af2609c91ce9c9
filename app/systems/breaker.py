"""Stop calling what does not answer: half of at least ten calls in a minute failed; pure."""

from collections import deque
from collections.abc import Callable
from enum import StrEnum

WINDOW_SECONDS = 60
LEAST_CALLS = 10
FAILING_SHARE = 0.5
OPEN_SECONDS = 30.0

_IDLE_CHECK_AT = 4_096


class BreakerState(StrEnum):
    """Name the three states; ``PROBING`` lets one call through to see."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


class Breaker:
    """
    Count outcomes in slots of a second and decide whether a call may go out.

    Knows no clock: every method takes the present monotonic second. Whoever is admitted must tell
    the outcome by ``record``, or ``withdraw`` when there is none (the call was cancelled).
    """

    def __init__(self) -> None:
        self.state = BreakerState.CLOSED
        self._reopens_at = 0.0
        self._slots: deque[list[int]] = deque()  # [second, calls, failures], oldest first
        self._calls = 0
        self._failures = 0

    def admit(self, now: float) -> float:
        """Say 0 when a call may go out now, else how many seconds to wait before asking again."""
        if self.state is BreakerState.CLOSED:
            return 0.0
        if self.state is BreakerState.PROBING:
            return OPEN_SECONDS
        if now < self._reopens_at:
            return self._reopens_at - now
        self.state = BreakerState.PROBING
        return 0.0

    def record(self, now: float, *, answered: bool) -> None:
        """Take the outcome of an admitted call; any answer that is not a 5xx counts as answered."""
        if self.state is BreakerState.PROBING:
            self._end_probe(now, answered=answered)
            return
        if self.state is BreakerState.OPEN:
            return  # calls that were on their way when it opened; they must not keep it open
        self._forget_before(now - WINDOW_SECONDS)
        second = int(now)
        if not self._slots or self._slots[-1][0] != second:
            self._slots.append([second, 0, 0])
        slot = self._slots[-1]
        slot[1] += 1
        slot[2] += not answered
        self._calls += 1
        self._failures += not answered
        if self._calls >= LEAST_CALLS and self._failures >= FAILING_SHARE * self._calls:
            self._open(now)

    def withdraw(self, now: float) -> None:
        """Give an admission back without an outcome; a probe may then be tried by the next."""
        if self.state is BreakerState.PROBING:
            self.state = BreakerState.OPEN
            self._reopens_at = now

    @property
    def idle(self) -> bool:
        """Say whether the breaker is closed and remembers no failure."""
        return self.state is BreakerState.CLOSED and not self._failures

    def _end_probe(self, now: float, *, answered: bool) -> None:
        if answered:
            self.state = BreakerState.CLOSED
        else:
            self._open(now)

    def _open(self, now: float) -> None:
        self.state = BreakerState.OPEN
        self._reopens_at = now + OPEN_SECONDS
        self._slots.clear()
        self._calls = self._failures = 0

    def _forget_before(self, second: float) -> None:
        while self._slots and self._slots[0][0] <= second:
            _, calls, failures = self._slots.popleft()
            self._calls -= calls
            self._failures -= failures


class Breakers:
    """Hold the breaker of the system as a whole and one for each key (a link)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._system = Breaker()
        self._breaker_by_key: dict[str, Breaker] = {}

    def admit(self, key: str) -> float:
        """Ask both; 0 when a call may go out now, else the seconds to wait."""
        now = self._clock()
        wait = self._system.admit(now)
        if wait > 0:
            return wait
        wait = self._of(key).admit(now)
        if wait > 0:
            self._system.withdraw(now)
        return wait

    def record(self, key: str, *, answered: bool) -> None:
        """Tell both the outcome of an admitted call."""
        now = self._clock()
        self._system.record(now, answered=answered)
        self._of(key).record(now, answered=answered)

    def withdraw(self, key: str) -> None:
        """Tell both that an admitted call has no outcome."""
        now = self._clock()
        self._system.withdraw(now)
        self._of(key).withdraw(now)

    def _of(self, key: str) -> Breaker:
        breaker = self._breaker_by_key.get(key)
        if breaker is None:
            if len(self._breaker_by_key) >= _IDLE_CHECK_AT:
                self._breaker_by_key = {k: b for k, b in self._breaker_by_key.items() if not b.idle}
            breaker = self._breaker_by_key[key] = Breaker()
        return breaker
