"""The silences of one collector: stored first, then in force."""

from collections.abc import Iterator, Mapping
from typing import Final

from alicia.alerting.ports import AlertStore
from alicia.alerting.silence import Silence, ended_silence
from alicia.base.errors import NotFound

KEPT_MS: Final = 7 * 86_400_000  # after its end a silence is still listed


class Silences(Mapping[str, Silence]):
    """All silences by id, those that are over for less than a week included."""

    def __init__(self, store: AlertStore) -> None:
        self._store = store
        self._all: dict[str, Silence] = {}

    async def load(self) -> None:
        """Take up what is stored."""
        self._all = await self._store.load_silences()

    async def add(self, silence: Silence) -> None:
        """Store a silence; it holds from the next decision on."""
        await self._store.save_silence(silence)
        self._all[silence.silence_id] = silence

    async def end(self, silence_id: str, *, now_ms: int) -> Silence:
        """End a silence now.

        Raises:
            NotFound: there is no silence of this id.
        """
        silence = self._all.get(silence_id)
        if silence is None:
            raise NotFound(
                f"silence {silence_id[:64]!r}: there is none; GET /alerts/silences lists them"
            )
        ended = ended_silence(silence, now_ms=now_ms)
        await self.add(ended)
        return ended

    async def age(self, now_ms: int) -> None:
        """Forget silences that were over a week ago already."""
        over = [
            silence_id
            for silence_id, silence in self._all.items()
            if all(silence.state(t_ms) == "expired" for t_ms in (now_ms, now_ms - KEPT_MS))
        ]
        if over:
            await self._store.delete_silences(over)
            for silence_id in over:
                del self._all[silence_id]

    def __getitem__(self, silence_id: str) -> Silence:
        return self._all[silence_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)
