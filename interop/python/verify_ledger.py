#!/usr/bin/env python3
"""Checks a sudoagent ledger with a second implementation, so that a bug in the first cannot go unnoticed.

Follows the rules of SudoAgent 2.0 for Python (docs/ledger-format.md), both its source and the older package on PyPI:
canonical JSON with fixed-point decimals and keys sorted by code point, entry hashes, the chain, decision hashes, and
Ed25519 signatures by the textbook algorithm of RFC 8032. Also checks the authority of each call, that no call was
allowed while a stop covered it, and that a decision answers the question that was recorded before it. Uses only the
standard library.

    python3 interop/python/verify_ledger.py LEDGER [PUBLIC_KEY.pem]

Prints one line and exits with 0 if the ledger verifies; otherwise prints the problems and exits with 1. A rule that an
entry breaks has the code that `sudoagent verify` reports. Nothing is checked after an entry that cannot be read, or
whose hash or signature does not fit.
"""

import base64
import hashlib
import json
import re
import sqlite3
import sys
import unicodedata
from collections import Counter
from datetime import date
from decimal import Decimal


def canonical(value):
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        text = format(value, "f")
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return "0" if text in ("-0", "") else text
    if isinstance(value, str):
        return json.dumps(unicodedata.normalize("NFC", value), ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    keys = sorted(value)
    return "{" + ",".join(canonical(key) + ":" + canonical(value[key]) for key in keys) + "}"


def no_duplicates(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError("duplicate key")
    return dict(pairs)


def sha256_hex(value):
    return hashlib.sha256(canonical(value).encode()).hexdigest()


# Ed25519 by RFC 8032, section 6: short and slow, and independent of the checked implementation.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(scalar, point):
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point, scalar = add(point, point), scalar >> 1
    return total


def decode_point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


BASE = decode_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signature_fits(public, message, signature):
    a, r = decode_point(public), decode_point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or a is None or r is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = times(s, BASE), add(r, times(k, a))
    return all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))


def lines_of(path):
    with open(path, "rb") as file:
        sqlite = file.read(16) == b"SQLite format 3\0"
    if not sqlite:
        with open(path, encoding="utf-8", newline="\n") as file:
            yield from ((line.rstrip("\n"), None, None) for line in file)
        return
    connection = sqlite3.connect(path)
    yield from connection.execute("SELECT entry_json, entry_hash, prev_entry_hash FROM ledger ORDER BY id")
    connection.close()


BUDGET_CODES = ("BUDGET_EXCEEDED_AGENT_RATE", "BUDGET_EXCEEDED_TOOL_RATE", "BUDGET_EVALUATION_FAILED")


def is_pypi(entry):
    """Whether the package `sudoagent` 2.0.0 from PyPI wrote the entry: its entries lack members of the current format."""
    return not {"parameters", "actor", "budget"} & set(entry) and "policy_version" not in entry["decision"]


def pypi_problem(entry):
    """Checks the repeated members, the policy hash and the approval of an entry that the package wrote."""
    decision, metadata = entry["decision"], entry["metadata"]
    if sha256_hex({"policy": decision["policy_id"]}) != decision["policy_hash"]:
        return "POLICY_HASH_MISMATCH"
    if entry["event"] != "decision":
        return None
    for name in ("policy_id", "policy_hash", "decision_hash", "reason_code"):
        if metadata.get(name) != decision[name]:
            raise ValueError(f"metadata has a different {name}")
    if metadata["agent_id"] != entry["agent_id"]:
        raise ValueError("metadata has a different agent_id")
    approval = entry["approval"]
    if approval is None:
        if {"approved", "approver_id", "approval_binding"} & set(metadata):
            raise ValueError("metadata has an approval")
        is_missing = decision["effect"] == "allow" and metadata.get("policy_decision") == "require_approval"
        return "APPROVAL_NOT_APPROVED" if is_missing else None
    pairs = (("approved", "approved"), ("approver_id", "approver_id"), ("binding", "approval_binding"))
    if not isinstance(approval["approved"], bool) or any(approval.get(a) != metadata.get(b) for a, b in pairs):
        raise ValueError("metadata has a different approval")
    if decision["effect"] == "deny":
        return None
    binding = {"request_id": entry["request_id"], **{name: decision[name] for name in ("policy_hash", "decision_hash")}}
    if not approval["approved"]:
        return "APPROVAL_NOT_APPROVED"
    return None if approval["binding"] == binding else "APPROVAL_BINDING_MISMATCH"


def is_budget_denial(entry):
    """Whether the entry denies a call over budget. The package hashes it with a time that it does not record."""
    decision = entry["decision"]
    is_denied = decision["effect"] == "deny" and decision["reason_code"] in BUDGET_CODES and entry["approval"] is None
    return is_denied and entry["metadata"].get("policy_decision") == "require_budget"


def decision_hash(entry, decision_at):
    pypi = is_pypi(entry)
    return sha256_hex(
        {
            "version": "2.0",
            "request_id": entry["request_id"],
            "decision_at": decision_at,
            "policy_hash": entry["decision"]["policy_hash"],
            "intent": entry["action"],
            "resource": {"type": "function", "name": entry["action"]},
            "parameters": {name: entry["metadata"][name] for name in ("args", "kwargs")} if pypi else entry["parameters"],
            "actor": entry.get("actor", {"principal": "unknown" if pypi else entry["agent_id"], "source": "python"}),
        }
    )


TIMESTAMP = "([0-9]{4})-([0-9]{2})-([0-9]{2})T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])\\.([0-9]{6})Z"
SECOND = 1_000_000
# A decision may wait for the ledger's lock for up to a minute.
GRACE = 60 * SECOND


def is_timestamp(value):
    try:
        return isinstance(value, str) and time_of(value) is not None
    except ValueError:
        return False


def time_of(timestamp):
    """The microseconds since the first day of the year 0. Raises ValueError for a text of another form."""
    form = re.fullmatch(TIMESTAMP, timestamp)
    if form is None:
        raise ValueError("not a timestamp")
    year, month, day, hour, minute, second, microsecond = map(int, form.groups())
    # `date` begins with the year 1. The calendar repeats after 400 years, which have 146,097 days.
    days = date(year or 400, month, day).toordinal() - (0 if year else 146_097)
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * SECOND + microsecond


def approval_problems(entry):
    approval, decision = entry.get("approval"), entry["decision"]
    if decision["effect"] != "allow" or approval is None:
        return []
    binding = approval["binding"] or {}
    expected = (entry["request_id"], decision["policy_hash"], decision["decision_hash"])
    problems = [] if approval["state"] == "approved" else ["APPROVAL_NOT_APPROVED"]
    if tuple(map(binding.get, ("request_id", "policy_hash", "decision_hash"))) != expected:
        problems.append("APPROVAL_BINDING_MISMATCH")
    return problems + (["APPROVAL_EXPIRED"] if is_late(approval, entry.get("recorded_at")) else [])


def is_late(approval, recorded_at):
    end, resolved = approval["expires_at"], approval["resolved_at"]
    if end is None:
        return False
    if not is_timestamp(end) or (resolved is not None and not is_timestamp(resolved)):
        return True
    if resolved is not None and time_of(resolved) > time_of(end):
        return True
    return recorded_at is not None and time_of(recorded_at) > time_of(end) + GRACE


def is_text(value, most, least=1):
    """Whether a value is a text of this length. Lengths are in UTF-16 units, as in JavaScript."""
    return isinstance(value, str) and least <= len(value.encode("utf-16-le", "surrogatepass")) // 2 <= most


def is_id(value):
    return is_text(value, 256) and all(unicodedata.category(character) != "Cc" for character in value)


def has_only(value, required, optional):
    names = set(value) if isinstance(value, dict) else {None}
    return set(required) <= names <= set(required) | set(optional)


def is_authority(authority):
    if not has_only(authority, (), ("on_behalf_of", "tenant", "session", "delegation")) or not authority:
        return False
    subject, delegation = authority.get("on_behalf_of"), authority.get("delegation", [{"id": "any"}])
    delegates = isinstance(delegation, list) and 1 <= len(delegation) <= 8
    return (
        all(is_text(authority[name], 256) for name in ("tenant", "session") if name in authority)
        and delegates
        and all(has_only(one, ("id",), ("issuer",)) and all(map(is_id, one.values())) for one in delegation)
        and ("on_behalf_of" not in authority or is_subject(subject))
    )


def is_subject(subject):
    if not has_only(subject, ("id", "type", "assurance"), ("issuer", "evidence")):
        return False
    evidence, is_verified = subject.get("evidence"), subject["assurance"] == "verified"
    is_proven = has_only(evidence, ("kind", "key"), ()) and evidence["kind"] == "jwt" and is_thumbprint(evidence["key"])
    return (
        is_id(subject["id"])
        and ("issuer" not in subject or is_id(subject["issuer"]))
        and subject["type"] in ("user", "service")
        and subject["assurance"] in ("asserted", "verified")
        and ("evidence" not in subject or is_proven)
        and (not is_verified or ("issuer" in subject and "evidence" in subject))
    )


def is_thumbprint(value):
    return isinstance(value, str) and re.fullmatch("[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]", value) is not None


def is_scope(scope):
    texts = ("agent", "action", "tenant", "session")
    if has_only(scope, ("all",), ()):
        return scope["all"] is True
    if not has_only(scope, (), (*texts, "on_behalf_of")) or not scope:
        return False
    subject = scope.get("on_behalf_of", {"id": "any"})
    is_named = has_only(subject, ("id",), ("issuer",)) and all(map(is_id, subject.values()))
    return is_named and all(is_text(scope[name], 256) for name in texts if name in scope)


def fits(pattern, text):
    parts = {"*": "(?s:.*)", "?": "(?s:.)"}
    return re.fullmatch("".join(parts.get(character) or re.escape(character) for character in pattern), text) is not None


def covers(scope, entry):
    if "all" in scope:
        return True
    # An authority that is not valid matches no scope.
    authority = entry["authority"] if "authority" in entry and is_authority(entry["authority"]) else {}
    subject = authority.get("on_behalf_of", {})
    return (
        all(subject.get(name) == value for name, value in scope.get("on_behalf_of", {}).items())
        and all(authority.get(name) == scope[name] for name in ("tenant", "session") if name in scope)
        and fits(scope.get("agent", "*"), entry["agent_id"])
        and fits(scope.get("action", "*"), entry["action"])
    )


CONTROL_BYTES_MAX = 65_536
UUID_V4 = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def stop_problem(block, stops, position, in_flight):
    """Applies a stop, or the end of one, to the open stops, by ID."""
    kind, stop_id = block["kind"], block.get("stop_id")
    problem = "STOP_INVALID" if kind == "stop" else "CONTROL_INVALID"
    is_noted = is_text(block.get("reason"), 1024, 0) and is_text(block.get("by"), 256)
    is_named = isinstance(stop_id, str) and re.fullmatch(UUID_V4, stop_id) is not None
    if not is_noted or not is_named or len(canonical(block).encode()) > CONTROL_BYTES_MAX:
        return problem
    if kind == "resume":
        return None if stops.pop(stop_id, None) is not None else problem
    if not is_scope(block.get("scope")) or stop_id in stops:
        return problem
    is_all = "all" in block["scope"]
    if sum(("all" in stop["scope"]) == is_all for stop in stops.values()) >= 255:
        return problem
    stops[stop_id] = {"stop_id": stop_id, "position": position, "scope": block["scope"], "in_flight": in_flight}
    return None


QUESTIONS_MAX, QUESTIONS_OF_AGENT_MAX = 10_000, 100
QUESTION_TIME_MIN, QUESTION_TIME_MAX = SECOND // 1000, 7 * 24 * 3600 * SECOND


def is_hash(value):
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def is_count(value, most=2**53 - 1, least=0):
    return type(value) is int and least <= value <= most


def is_requirement(requirement):
    if not has_only(requirement, ("rule", "factors", "assurance", "registry_hash"), ()):
        return False
    rule, factors, registry = requirement["rule"], requirement["factors"], requirement["registry_hash"]
    is_signed = requirement["assurance"] == "signed"
    return (
        (rule is None or is_text(rule, 256))
        and isinstance(factors, list)
        and 1 <= len(factors) <= 8
        and all(map(is_factor, factors))
        and sum(factor["approvals"] for factor in factors) <= 16
        and (is_signed or requirement["assurance"] == "asserted")
        and (is_hash(registry) if is_signed else registry is None)
        and (is_signed or factors == [{"group": None, "approvals": 1}])
    )


def is_factor(factor):
    if not has_only(factor, ("group", "approvals"), ()):
        return False
    group = factor["group"]
    is_named = isinstance(group, str) and re.fullmatch("[a-z0-9._@+-]{1,128}", group) is not None
    return (group is None or is_named) and is_count(factor["approvals"], 16, 1)


def is_commitment(commitment):
    if not has_only(commitment, ("key_id", "hmac"), ()):
        return False
    key_id = commitment["key_id"]
    return is_hash(commitment["hmac"]) and isinstance(key_id, str) and re.fullmatch("[0-9a-f]{16}", key_id) is not None


def is_result(result):
    if not has_only(result, ("key_id", "hmac", "profile", "bytes"), ()):
        return False
    commitment = {name: result[name] for name in ("key_id", "hmac")}
    return is_commitment(commitment) and result["profile"] in ("jcs", "bytes") and is_count(result["bytes"])


def has_valid_commitments(entry):
    """Whether the commitment of a decision, or the result of an outcome, has the right form or is absent."""
    if entry["event"] == "decision":
        return "commitment" not in entry or is_commitment(entry["commitment"])
    return "result" not in entry["outcome"] or is_result(entry["outcome"]["result"])


def authority_hash(fields):
    return sha256_hex(fields["authority"]) if "authority" in fields else None


def is_question(block):
    """Whether the block of an `asked` entry has the form of a question."""
    names = ("policy_hash", "action", "agent_id")
    return (
        is_text(block.get("request_id"), 128)
        and block.get("approval_id") == block["request_id"]
        and is_timestamp(block.get("decision_at"))
        and is_timestamp(block.get("expires_at"))
        and is_hash(block.get("decision_hash"))
        and ("authority" not in block or is_authority(block["authority"]))
        and "authority_hash" in block
        and block["authority_hash"] == authority_hash(block)
        and all(is_text(block.get(name), 256) for name in names)
        and is_requirement(block.get("requirement"))
        and is_count(block.get("redacted"))
        and ("commitment" not in block or is_commitment(block["commitment"]))
        and len(canonical(block).encode()) <= CONTROL_BYTES_MAX
    )


def differing(question, entry):
    """The first member in which a decision under a requirement differs from its question."""
    approval, decision = entry["approval"], entry["decision"]
    answer = {
        "approval_id": approval["approval_id"],
        "decision_hash": decision["decision_hash"],
        "authority_hash": authority_hash(entry),
        "policy_hash": decision["policy_hash"],
        "requirement": approval["requirement"],
        "expires_at": approval["expires_at"],
        "agent_id": entry["agent_id"],
        "redacted": approval.get("redacted"),
        **{name: entry[name] for name in ("commitment",) if name in entry},
    }
    # Values are compared as canonical text, because 1 equals True in Python. A missing member equals no value.
    names = (*answer, "commitment")
    asked, said = ({name: canonical(fields[name]) for name in names if name in fields} for fields in (question, answer))
    return next((name for name in names if asked.get(name) != said.get(name)), None)


class Questions:
    """The questions without a decision, by request ID."""

    def __init__(self, questions=()):
        self.open, self.of_agent, self.first_end = {}, Counter(), None
        for question in questions:
            self.add(question)

    def add(self, question):
        self.open[question["request_id"]] = question
        self.of_agent[question["agent_id"]] += 1
        end = time_of(question["expires_at"])
        self.first_end = end if self.first_end is None else min(self.first_end, end)

    def close(self, request_id):
        question = self.open.pop(request_id, None)
        if question is not None:
            self.of_agent[question["agent_id"]] -= 1
        return question

    def has_room(self, agent_id):
        return len(self.open) < QUESTIONS_MAX and self.of_agent[agent_id] < QUESTIONS_OF_AGENT_MAX

    def drop_expired(self, recorded_at):
        """Removes the questions whose deadline is more than a minute before this time, and returns their number."""
        if recorded_at is None or self.first_end is None or self.first_end >= time_of(recorded_at) - GRACE:
            return 0
        ends = {name: time_of(question["expires_at"]) for name, question in self.open.items()}
        expired = [name for name, end in ends.items() if end < time_of(recorded_at) - GRACE]
        for name in expired:
            self.close(name)
        self.first_end = min((ends[name] for name in self.open), default=None)
        return len(expired)


class Walk:
    """Follows a ledger, entry by entry: what the rules need to know of the entries before the next one."""

    def __init__(self, public=None):
        self.public, self.previous, self.recorded_at = public, None, None
        self.has_genesis, self.counts = False, Counter()
        # By decision hash; a decision that has an outcome is None. A denied one is kept, too.
        self.decisions, self.requests, self.approvals = {}, set(), set()
        self.stops, self.questions = {}, Questions()
        self.findings = []

    def resumed(self):
        """The walk as a later run continues it: without the calls that have ended, and approvals that were used."""
        later = Walk(self.public)
        later.__dict__.update(self.__dict__, approvals=set(), stops=dict(self.stops), findings=[])
        later.questions = Questions(self.questions.open.values())
        later.decisions = {name: entry for name, entry in self.decisions.items() if is_open(entry)}
        later.requests = {entry["request_id"] for entry in later.decisions.values()}
        later.counts = Counter(self.counts)
        return later

    def report(self):
        """Members of the report of `sudoagent verify --json`."""
        self.drop_expired()
        counts = self.counts
        calls = [(entry["position"], entry["request_id"]) for entry in self.decisions.values() if is_open(entry)]
        signed = {"webauthn": 0, "sshsig": 0, "ed25519": 0}
        return {
            "ok": self.findings == [] and counts["entries"] > 0,
            **{name: counts[name] for name in ("entries", "decisions", "outcomes", "controls_unknown")},
            "open": len(calls),
            "open_calls": [{"position": position, "request_id": request} for position, request in calls[:100]],
            "stops": list(self.stops.values()),
            "questions": {"open": len(self.questions.open), "expired": counts["expired"]},
            "approvals": {"signed": signed, "asserted": counts["approved"], "redacted": counts["redacted"]},
            "approvers_by": None,
            "resumes": {"signed": 0, "operator": counts["resumes"]},
            "findings": self.findings,
            "findings_total": len(self.findings),
        }

    def line(self, line, row_hash=None, row_prev=None):
        """Applies the next line. Raises an error if it is not an entry that can follow."""
        self.counts["entries"] += 1
        entry = json.loads(line, parse_float=Decimal, object_pairs_hook=no_duplicates)
        self.check_seal(entry, line, row_hash, row_prev)
        if entry["event"] != "checkpoint" and not is_pypi(entry) and not has_valid_commitments(entry):
            raise ValueError("commitment invalid")
        if entry["event"] == "decision":
            self.check_decision_hash(entry)
        # Questions expire by the time before the entry.
        self.drop_expired()
        self.check_clock(entry)
        if entry["event"] == "checkpoint":
            self.find(entry, self.control_problem(entry))
        elif entry["event"] == "decision":
            self.decision(entry)
        else:
            self.counts["outcomes"] += 1
            self.find(entry, self.call_problem(entry), self.outcome_problem(entry))

    def check_decision_hash(self, entry):
        is_hashed = not (is_pypi(entry) and is_budget_denial(entry))
        if is_hashed and decision_hash(entry, entry["created_at"]) != entry["decision"]["decision_hash"]:
            self.find(entry, "DECISION_HASH_MISMATCH")

    def check_clock(self, entry):
        recorded_at, before = entry.get("recorded_at"), self.recorded_at
        if recorded_at is None:
            return
        if before is not None and time_of(recorded_at) < time_of(before):
            self.find(entry, "CLOCK_WENT_BACK")
        else:
            self.recorded_at = recorded_at

    def check_seal(self, entry, line, row_hash, row_prev):
        if canonical(entry) != line:
            raise ValueError("not canonical by the Python rules")
        if entry["schema_version"] != "2.0" or entry["ledger_version"] != "2.0":
            raise ValueError("version")
        if entry["prev_entry_hash"] != self.previous:
            raise ValueError("chain broken")
        body = {**{key: value for key, value in entry.items() if key != "entry_signature"}, "entry_hash": None}
        if sha256_hex(body) != entry["entry_hash"]:
            raise ValueError("entry_hash mismatch")
        if row_hash is not None and (row_hash, row_prev) != (entry["entry_hash"], entry["prev_entry_hash"]):
            raise ValueError("column mismatch")
        if self.public is not None:
            signature = base64.b64decode(entry["entry_signature"], validate=True)
            if not signature_fits(self.public, entry["entry_hash"].encode(), signature):
                raise ValueError("signature invalid")
        self.previous = entry["entry_hash"]

    def find(self, entry, *codes):
        request = {"request_id": entry["request_id"]} if entry["event"] != "checkpoint" else {}
        for code in codes:
            if code is not None:
                self.findings.append({"code": code, "position": self.counts["entries"], **request})

    def drop_expired(self):
        self.counts["expired"] += self.questions.drop_expired(self.recorded_at)

    def control_problem(self, entry):
        block, position = entry.get("checkpoint"), self.counts["entries"]
        kind = block.get("kind") if isinstance(block, dict) else None
        if kind == "genesis" and position == 1:
            self.has_genesis = True
        if kind in ("genesis", "key_added", "key_retired", "closed"):
            return None
        if kind not in ("stop", "resume", "asked"):
            self.counts["controls_unknown"] += 1
            return None
        # The first entry must be a genesis.
        if position == 1:
            return "CONTROL_INVALID"
        if kind == "asked":
            return self.question_problem(entry)
        if "created_at" not in entry:
            return "STOP_INVALID" if kind == "stop" else "CONTROL_INVALID"
        problem = stop_problem(block, self.stops, position, sum(map(is_open, self.decisions.values())))
        self.counts["resumes"] += kind == "resume" and problem is None
        return problem

    def question_problem(self, entry):
        """Applies a question."""
        block, recorded_at = entry["checkpoint"], entry.get("recorded_at")
        if not is_question(block) or "created_at" not in entry or recorded_at is None:
            return "CONTROL_INVALID"
        if not QUESTION_TIME_MIN <= time_of(block["expires_at"]) - time_of(recorded_at) <= QUESTION_TIME_MAX:
            return "CONTROL_INVALID"
        # No registry of approvers can be in force, so none can be named.
        if block["requirement"]["registry_hash"] is not None:
            return "CONTROL_INVALID"
        if block["request_id"] in self.questions.open:
            return "ASKED_DUPLICATE"
        if not self.questions.has_room(block["agent_id"]):
            return "CONTROL_INVALID"
        self.questions.add(block)
        # Without the decisions of an earlier run, this cannot be found, so the question is kept.
        return "ASKED_DUPLICATE" if block["request_id"] in self.requests else None

    def answer_problem(self, entry):
        """Applies a decision to the question with its request ID."""
        question = self.questions.close(entry["request_id"])
        is_answer = "requirement" in (entry.get("approval") or {})
        if question is None:
            return "APPROVAL_NOT_ASKED" if is_answer else None
        return None if is_answer and differing(question, entry) is None else "ASKED_MISMATCH"

    def call_problem(self, entry):
        if "authority" in entry and not is_authority(entry["authority"]):
            return "AUTHORITY_INVALID"
        return pypi_problem(entry) if is_pypi(entry) else None

    def decision(self, entry):
        """Applies a decision."""
        decided, approval = entry["decision"]["decision_hash"], entry.get("approval")
        is_allowed = entry["decision"]["effect"] == "allow"
        self.counts["decisions"] += 1
        self.find(entry, self.call_problem(entry))
        if is_allowed and any(covers(stop["scope"], entry) for stop in self.stops.values()):
            self.find(entry, "ALLOWED_WHILE_STOPPED")
        self.find(entry, self.answer_problem(entry))
        if is_allowed and approval is not None:
            self.counts["approved"] += 1
            self.counts["redacted"] += "requirement" in approval and canonical(approval.get("redacted")) != "0"
            self.find(entry, *([] if is_pypi(entry) else approval_problems(entry) + self.use_problems(approval)))
        if decided in self.decisions or entry["request_id"] in self.requests:
            self.find(entry, "DECISION_DUPLICATE")
        if decided not in self.decisions:
            self.decisions[decided] = {**entry, "position": self.counts["entries"]}
            self.requests.add(entry["request_id"])

    def use_problems(self, approval):
        """In a ledger with a genesis, each approval has its times and is used once."""
        if not self.has_genesis:
            return []
        problems = ["APPROVAL_REUSED"] if approval["approval_id"] in self.approvals else []
        self.approvals.add(approval["approval_id"])
        times = [approval[name] for name in ("created_at", "resolved_at", "expires_at")]
        return problems + (["APPROVAL_INCOMPLETE"] if None in times else [])

    def outcome_problem(self, entry):
        """Applies an outcome to its decision."""
        decided = entry["decision"]["decision_hash"]
        if decided not in self.decisions:
            return "DECISION_UNKNOWN"
        decision = self.decisions[decided]
        if decision is None:
            return "OUTCOME_DUPLICATE"
        if decision["decision"]["effect"] != "allow":
            return "OUTCOME_AFTER_DENY"
        if decision["request_id"] != entry["request_id"]:
            return "REQUEST_ID_MISMATCH"
        self.decisions[decided] = None
        same = decision_hash(entry, decision["created_at"]) == decided and entry["agent_id"] == decision["agent_id"]
        return None if same else "DECISION_HASH_MISMATCH"


def is_open(decision):
    return decision is not None and decision["decision"]["effect"] == "allow"


def main(path, key_path=None):
    public = None
    if key_path is not None:
        with open(key_path, encoding="ascii") as file:
            public = base64.b64decode("".join(file.read().split("-----")[2].split()))[-32:]
    walk, problem = Walk(public), None
    try:
        for row in lines_of(path):
            walk.line(*row)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"{type(error).__name__}: {error}"
    report = walk.report()
    for finding in report["findings"]:
        print(f"{path}: entry {finding['position']}: {finding['code']}")
    if problem is not None:
        print(f"{path}: entry {report['entries']}: {problem}")
    if problem is not None or not report["ok"]:
        return 1
    print(f"{path}: {report['entries']} entries verify" + (" and are signed" if public else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
