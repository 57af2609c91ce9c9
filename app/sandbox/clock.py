"""Give a twin its time: the real one, moved as far as a test or a demo wants."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Tell the twin's time: real time plus an offset that control calls move."""

    def __init__(self) -> None:
        self._offset = timedelta()

    def now(self) -> datetime:
        """Tell the twin's present instant, aware UTC."""
        return datetime.now(UTC) + self._offset

    def advance(self, seconds: float) -> None:
        """Move the twin's time forward; a negative number moves it back."""
        self._offset += timedelta(seconds=seconds)

    def set(self, instant: datetime) -> None:
        """Make ``instant`` (aware) the twin's present; time then runs on from it."""
        self._offset = instant - datetime.now(UTC)
