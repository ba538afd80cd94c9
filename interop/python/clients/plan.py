"""The fake model of all clients here: it asks for one payment, and picks it up after a person has approved it.

Each client is started as `<client>.py <ways> stdio <command…>` or `<client>.py <ways> http <url>`. The ways are
`repeat` (the call is repeated with equal arguments) and `wait` (the tool `sudoagent_wait` is called with the waiting
id), separated by commas. Each tool result is printed as one JSON line. After a pending result, the plan goes on when
the driver writes a line to standard input.
"""

import json
import os
import re
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

IBAN = "DE89370400440532013000"
WAIT_SECONDS = 4
# More calls than any scenario needs: a client that never gets the result ends.
CALLS_MAX = 6


@dataclass(frozen=True)
class Call:
    """A call of a tool that the model asks for."""

    tool: str
    arguments: dict[str, Any]


class Plan:
    """Decides the calls of one scenario. `amount` tells the scenarios of one client apart."""

    def __init__(self, way: str, amount: int) -> None:
        self.way = way
        self.pay = Call("pay", {"iban": IBAN, "amount": amount})
        self.calls = 0
        self.asked_at = 0.0

    def first(self) -> Call:
        return self._ask(self.pay)

    def after(self, result: str) -> Call | None:
        """Returns the call that follows a result; None if the scenario has ended. Blocks until the driver goes on."""
        waiting_id = re.search(r"pending: .*Waiting id ([0-9a-f]{16})\.", result)
        step = "pending" if waiting_id else "result" if "paid" in result else "other"
        self._say(step, result)
        if step == "result" or self.calls == CALLS_MAX:
            return None
        if waiting_id and sys.stdin.readline() == "":
            raise SystemExit("the driver has ended")
        if waiting_id and self.way == "wait":
            return self._ask(Call("sudoagent_wait", {"waiting_id": waiting_id[1], "seconds": WAIT_SECONDS}))
        return self._ask(self.pay)

    def _ask(self, call: Call) -> Call:
        self.calls += 1
        self.asked_at = time.monotonic()
        return call

    def _say(self, step: str, text: str) -> None:
        took = round(time.monotonic() - self.asked_at, 2)
        print(json.dumps({"way": self.way, "step": step, "seconds": took, "text": text}), flush=True)


def plans() -> list[Plan]:
    return [Plan(way, amount) for amount, way in enumerate(sys.argv[1].split(","), start=1)]


def stdio_command() -> tuple[str, list[str]] | None:
    """Returns the command of the guard and its arguments; None if the guard is reached over HTTP."""
    return (sys.argv[3], sys.argv[4:]) if sys.argv[2] == "stdio" else None


def http_server() -> tuple[str, dict[str, str]]:
    """Returns the URL of the guard, and the headers that each request needs."""
    return sys.argv[3], {"Authorization": f"Bearer {os.environ['SUDOAGENT_MCP_TOKEN']}"}


def say_versions(*packages: str) -> None:
    names = ", ".join(f"{name} {version(name)}" for name in packages)
    print(json.dumps({"way": "versions", "text": names}), flush=True)
