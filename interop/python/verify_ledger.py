#!/usr/bin/env python3
"""Checks a sudoagent ledger with a second implementation, so that a bug in the first cannot go unnoticed.

Follows the rules of SudoAgent 2.0 for Python (docs/ledger-format.md), both its source and the older package on PyPI:
canonical JSON with fixed-point decimals and keys sorted by code point, entry hashes, the chain, decision hashes, and
Ed25519 signatures by the textbook algorithm of RFC 8032. Also checks the authority of each call, and that no call was
allowed while a stop covered it. Uses only the standard library.

    python3 interop/python/verify_ledger.py LEDGER [PUBLIC_KEY.pem]

Prints one line and exits with 0 if the ledger verifies; otherwise prints the problem and exits with 1.
"""

import base64
import hashlib
import json
import re
import sqlite3
import sys
import unicodedata
from datetime import datetime
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
        return "policy_hash mismatch"
    if entry["event"] != "decision":
        return None
    for name in ("policy_id", "policy_hash", "decision_hash", "reason_code"):
        if metadata.get(name) != decision[name]:
            return f"metadata has a different {name}"
    if metadata["agent_id"] != entry["agent_id"]:
        return "metadata has a different agent_id"
    approval = entry["approval"]
    if approval is None:
        if {"approved", "approver_id", "approval_binding"} & set(metadata):
            return "metadata has an approval"
        is_missing = decision["effect"] == "allow" and metadata.get("policy_decision") == "require_approval"
        return "no approval" if is_missing else None
    pairs = (("approved", "approved"), ("approver_id", "approver_id"), ("binding", "approval_binding"))
    if not isinstance(approval["approved"], bool) or any(approval.get(a) != metadata.get(b) for a, b in pairs):
        return "metadata has a different approval"
    if decision["effect"] == "deny":
        return None
    binding = {"request_id": entry["request_id"], **{name: decision[name] for name in ("policy_hash", "decision_hash")}}
    return None if approval["approved"] and approval["binding"] == binding else "not approved"


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


def seconds_of(timestamp):
    return datetime.strptime(timestamp, "%Y-%m-%dT%H:%M:%S.%fZ").timestamp()


def approval_problem(entry):
    approval, decision = entry.get("approval"), entry["decision"]
    if decision["effect"] != "allow" or approval is None:
        return None
    if approval["state"] != "approved":
        return "approval was not given"
    binding = approval["binding"] or {}
    expected = (entry["request_id"], decision["policy_hash"], decision["decision_hash"])
    if tuple(map(binding.get, ("request_id", "policy_hash", "decision_hash"))) != expected:
        return "approval of another call"
    end, resolved, recorded = approval["expires_at"], approval["resolved_at"], entry.get("recorded_at")
    if end is None:
        return None
    if resolved is not None and seconds_of(resolved) > seconds_of(end):
        return "approval was given late"
    # The decision may wait for the ledger's lock for up to a minute.
    return "approval was used late" if recorded is not None and seconds_of(recorded) > seconds_of(end) + 60 else None


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
    authority = entry.get("authority", {})
    subject = authority.get("on_behalf_of", {})
    return (
        all(subject.get(name) == value for name, value in scope.get("on_behalf_of", {}).items())
        and all(authority.get(name) == scope[name] for name in ("tenant", "session") if name in scope)
        and fits(scope.get("agent", "*"), entry["agent_id"])
        and fits(scope.get("action", "*"), entry["action"])
    )


UUID_V4 = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def stop_problem(block, stops):
    """Applies a control entry to the open stops, by ID."""
    kind = block.get("kind")
    if kind not in ("stop", "resume"):
        return None
    is_noted = is_text(block.get("reason"), 1024, 0) and is_text(block.get("by"), 256)
    stop_id = block.get("stop_id")
    is_named = isinstance(stop_id, str) and re.fullmatch(UUID_V4, stop_id) is not None
    if not is_noted or not is_named or len(canonical(block).encode()) > 65536:
        return f"not a {kind}"
    if kind == "resume":
        return None if stops.pop(stop_id, None) is not None else "no such stop is open"
    if not is_scope(block.get("scope")) or stop_id in stops:
        return "not a stop"
    is_all = "all" in block["scope"]
    if sum(("all" in scope) == is_all for scope in stops.values()) >= 255:
        return "too many stops"
    stops[stop_id] = block["scope"]
    return None


def problem_of(line, row_hash, row_prev, previous, decisions, stops, public):
    entry = json.loads(line, parse_float=Decimal, object_pairs_hook=no_duplicates)
    if canonical(entry) != line:
        return None, "not canonical by the Python rules"
    if entry["schema_version"] != "2.0" or entry["ledger_version"] != "2.0":
        return None, "version"
    if entry["prev_entry_hash"] != previous:
        return None, "chain broken"
    body = {**{key: value for key, value in entry.items() if key != "entry_signature"}, "entry_hash": None}
    if sha256_hex(body) != entry["entry_hash"]:
        return None, "entry_hash mismatch"
    if row_hash is not None and (row_hash, row_prev) != (entry["entry_hash"], entry["prev_entry_hash"]):
        return None, "column mismatch"
    if public is not None:
        signature = base64.b64decode(entry["entry_signature"], validate=True)
        if not signature_fits(public, entry["entry_hash"].encode(), signature):
            return None, "signature invalid"
    if entry["event"] == "checkpoint":
        return entry["entry_hash"], stop_problem(entry["checkpoint"], stops)
    if "authority" in entry and not is_authority(entry["authority"]):
        return None, "authority invalid"
    pypi = is_pypi(entry)
    if pypi and (problem := pypi_problem(entry)) is not None:
        return None, problem
    if entry["event"] == "decision":
        is_hashed = not (pypi and is_budget_denial(entry))
        if is_hashed and decision_hash(entry, entry["created_at"]) != entry["decision"]["decision_hash"]:
            return None, "decision_hash mismatch"
        if entry["decision"]["decision_hash"] in decisions:
            return None, "decision twice"
        is_allowed = entry["decision"]["effect"] == "allow"
        if is_allowed and any(covers(scope, entry) for scope in stops.values()):
            return None, "allowed while stopped"
        problem = None if pypi else approval_problem(entry)
        if problem is not None:
            return None, problem
        decisions[entry["decision"]["decision_hash"]] = entry
    if entry["event"] == "outcome":
        decision = decisions.get(entry["decision"]["decision_hash"])
        if decision is None or decision["request_id"] != entry["request_id"] or decision["decision"]["effect"] != "allow":
            return None, "outcome of another call, of one that was denied, or a second one"
        same = decision_hash(entry, decision["created_at"]) == entry["decision"]["decision_hash"]
        if not same or entry["agent_id"] != decision["agent_id"]:
            return None, "outcome describes another call than its decision"
        # A second outcome then finds a finished decision.
        decisions[entry["decision"]["decision_hash"]] = {**decision, "decision": {"effect": "done"}}
    return entry["entry_hash"], None


def main(path, key_path=None):
    public = None
    if key_path is not None:
        with open(key_path, encoding="ascii") as file:
            public = base64.b64decode("".join(file.read().split("-----")[2].split()))[-32:]
    previous, decisions, stops, count = None, {}, {}, 0
    for line, row_hash, row_prev in lines_of(path):
        count += 1
        try:
            previous, problem = problem_of(line, row_hash, row_prev, previous, decisions, stops, public)
        except (ValueError, KeyError, TypeError) as error:
            problem = f"{type(error).__name__}: {error}"
        if problem is not None:
            print(f"{path}: entry {count}: {problem}")
            return 1
    print(f"{path}: {count} entries verify" + (" and are signed" if public else ""))
    return 0 if count > 0 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
