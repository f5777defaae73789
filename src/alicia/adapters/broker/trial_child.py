"""``python -m alicia.adapters.broker.trial_child PORT PASSWORD_FILE``: amqtt until told to end.

Anonymous sessions would be purged by amqtt (Yakifo/amqtt#401), so there is one account.
"""

import asyncio
import hmac
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from amqtt.broker import Broker
from amqtt.contexts import BaseContext
from amqtt.errors import BrokerError
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session

from alicia.adapters.broker.accounts import Accounts
from alicia.adapters.lifetime import Ending
from alicia.adapters.logs import set_up_logs

_SAID_CHARS_MAX: Final = 300


class OneAccount(BaseAuthPlugin):  # type: ignore[misc]  # amqtt publishes no types
    """Lets in whoever knows the generated password."""

    @dataclass
    class Config:
        """The password, which only this process and the file's owner know."""

        password: str = ""

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)
        self._password = self.config.password.encode()

    async def authenticate(self, *, session: Session) -> bool:
        """Compare in constant time."""
        given = (session.password or "").encode()
        return session.username == Accounts.OWN and hmac.compare_digest(given, self._password)


def brief(record: logging.LogRecord) -> bool:
    """One line for what amqtt says with a traceback, and one code for all such lines of it.

    A client that is stopped costs it an error per message; where in amqtt that was is enough to
    look it up.
    """
    record.exc_info = record.exc_text = None
    record.code = f"{record.module}:{record.lineno}"
    record.msg, record.args = record.getMessage()[:_SAID_CHARS_MAX], None
    return True


async def serve(port: int, password: str) -> None:
    """Run the broker until SIGTERM or the supervisor's death."""
    ending = Ending(os.environ)
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {f"{__name__}.{OneAccount.__name__}": {"password": password}},
        }
    )
    try:
        await broker.start()
    except BrokerError as error:
        raise SystemExit(f"the trial broker cannot listen on port {port}: {error}") from None
    print(f"alicia trial broker listening on mqtt://127.0.0.1:{port}", flush=True)
    await ending.wait()
    await broker.shutdown()


def main(arguments: list[str]) -> int:
    """The program; errors of amqtt go to stderr, its packet log nowhere."""
    set_up_logs("broker", level="error")
    logging.getLogger().handlers[0].filters.insert(0, brief)
    port, password_file = int(arguments[0]), Path(arguments[1])
    asyncio.run(serve(port, password_file.read_text().strip()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
