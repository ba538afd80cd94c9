#!/usr/bin/env python3
"""Writes ledgers with the package `sudoagent` 2.0.0 from PyPI.

The ledgers contain every kind of decision, and unusual names and values. Some are signed, and some are written by several
processes.

    VENV/bin/python interop/python/write_pypi_ledgers.py FOLDER
"""

import multiprocessing
import pathlib
import sys
from types import SimpleNamespace

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sudoagent.budgets import BudgetManager, BudgetStateError
from sudoagent.engine import SudoEngine
from sudoagent.ledger import JSONLLedger, SQLiteLedger
from sudoagent.loggers.jsonl import JsonlAuditLogger
from sudoagent.policies import AllowAllPolicy, DenyAllPolicy, PolicyResult
from sudoagent.types import Decision

ALLOW, DENY, ASK = Decision.ALLOW, Decision.DENY, Decision.REQUIRE_APPROVAL
CALLS_PER_PROCESS = 8


class Says:
    """A policy with one answer."""

    def __init__(self, decision, reason="because", code=None, policy_id=None):
        self.answer = decision, reason, code
        if policy_id is not None:
            self.policy_id = policy_id

    def evaluate(self, _):
        decision, reason, code = self.answer
        if isinstance(decision, Exception):
            raise decision
        if not isinstance(decision, Decision):
            return SimpleNamespace(decision=decision, reason=reason)
        return PolicyResult(decision=decision, reason=reason, reason_code=code)


class Answers:
    """An approver with one answer."""

    def __init__(self, answer):
        self.answer = answer

    def approve(self, *_):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class FailingBudget:
    def check(self, **_):
        pass

    def commit(self, _):
        raise BudgetStateError("the counter is gone")


class Odd:
    def __init__(self, text):
        self.text = text

    def __repr__(self):
        if self.text is None:
            raise ValueError("no repr")
        return self.text


def tool(*_, **__):
    return 1


def failing_tool(*_, **__):
    raise KeyError("/etc/passwd \"x\"\n\t\x01 пло́хо " * 40)


def calls():
    """(policy, tool, args, kwargs, approver's answer, budget, agent)"""
    agent = BudgetManager(agent_limit=2, tool_limit=None, window_seconds=60)
    per_tool = BudgetManager(agent_limit=None, tool_limit=1, window_seconds=60)
    odd = [1, None, 1.5, float("nan"), 10**60, b"\xff", "sk-secret", "it's", Odd(None), Odd('\u2028\x00\x1b[31m"\\𝒳é')]
    names = {"": 1, "ключ": 2, "\U0001d4b3": 3, "\ufb33": 4, "__proto__": 5, "e\u0301": 6, "password": "p", "a\"b\\": "'raw \u2029'"}
    yield AllowAllPolicy(), tool, odd, {}, None, None, "bot"
    yield AllowAllPolicy(), tool, [], names, None, None, "bot e\u0301 🙂"
    yield Says(DENY, "long " * 3000, "C" * 400, "P" * 600), tool, ["'" + "x" * 20_000 + "'"], {}, None, None, "a" * 300
    yield Says(ALLOW, "e\u0301\u2028", "code é", "  spaced  "), failing_tool, [], {}, None, None, "bot"
    yield DenyAllPolicy(), tool, [], {}, None, None, "bot"
    yield Says(RuntimeError("policy\ndied " * 100)), tool, [1], {}, None, None, "bot"
    yield Says("maybe"), tool, [1], {}, None, None, "bot"
    bindings = {"x": 5, "__proto__": 1, "é": None}
    for answer in (
        True, False, None, RuntimeError("approver \0 died"), {"approved": True, "approver_id": "ops é" * 100},
        {"approved": False, "approver_id": "ops"}, {"binding": {}}, {"binding": bindings, "approved": True}, {},
    ):
        yield Says(ASK), tool, [1], {"k": 2}, answer, None, "bot"
    for n in range(4):
        yield AllowAllPolicy(), tool, [n], {}, None, agent, "spender"
    yield Says(ASK), tool, ["approved, and no budget left"], {}, True, agent, "spender"
    for n in range(2):
        yield AllowAllPolicy(), tool, [n], {}, None, per_tool, "bot"
    yield Says(ASK), tool, [], {}, {"approved": True, "approver_id": "x"}, FailingBudget(), "bot"
    yield AllowAllPolicy(), sys.exit, [3], {}, None, None, "left open"
    yield AllowAllPolicy(), lambda: 1, [], {}, None, None, "bot"


def write(ledger, folder):
    for policy, function, args, kwargs, answer, budget, agent in calls():
        engine = SudoEngine(
            policy=policy, approver=Answers(answer), ledger=ledger, budget_manager=budget, agent_id=agent,
            logger=JsonlAuditLogger(folder / "audit.log"),
        )
        try:
            engine.execute(function, *args, **kwargs)
        except (Exception, SystemExit):
            pass  # refused, or the tool failed: that is recorded


def write_some(kind, path, folder):
    for n in range(CALLS_PER_PROCESS):
        engine = SudoEngine(policy=AllowAllPolicy(), ledger=kind(path), logger=JsonlAuditLogger(folder / "audit.log"))
        engine.execute(tool, n)


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "signed.pub.pem").write_bytes(pem)
    for suffix, kind in (("jsonl", JSONLLedger), ("sqlite", SQLiteLedger)):
        write(kind(folder / f"plain.{suffix}"), folder)
        write(kind(folder / f"signed.{suffix}", signing_key=key), folder)
        shared = folder / f"two-processes.{suffix}"
        writers = [multiprocessing.Process(target=write_some, args=(kind, shared, folder)) for _ in range(2)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        kind(shared).verify()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
