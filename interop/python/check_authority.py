#!/usr/bin/env python3
"""Checks the vectors of `vectors/authority` and ledgers with questions with `verify_ledger.py`.

    python3 interop/python/check_authority.py VECTORS [LEDGERS…]

VECTORS is the folder `vectors/authority`. Each of LEDGERS is a folder with ledgers and an `index.json` of the same form
as `questions/index.json`. Exits with 1 if a result differs from the one that a vector states.
"""

import json
import sys
from decimal import Decimal
from pathlib import Path

from verify_ledger import Walk, differing, is_authority, is_question, is_requirement, lines_of, sha256_hex

passed, failed = 0, 0


def check(what, found, expected):
    global passed, failed
    if found == expected:
        passed += 1
        return
    failed += 1
    print(f"{what}: expected {expected}, found {found}")


def read(path):
    vectors = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    # If vectors were moved, their checks must fail instead of passing without vectors.
    if vectors == []:
        raise ValueError(f"no vectors in {path}")
    return vectors


def check_hashes(folder):
    for name, is_valid in (("authority", is_authority), ("requirement", is_requirement)):
        for vector in read(folder / f"{name}-accept.json"):
            what = f"{name}, {vector['why']}"
            check(what, is_valid(vector[name]) and sha256_hex(vector[name]), vector[f"{name}_hash"])
        for vector in read(folder / f"{name}-reject.json"):
            check(f"{name}, {vector['why']}", is_valid(vector[name]), False)


def check_pairs(folder):
    for vector in read(folder / "pairs.json"):
        what, question = f"pair, {vector['name']}", vector["asked"]
        check(what, (is_question(question), differing(question, vector["decision"])), (True, vector["differs"]))


def check_ledgers(folder):
    for vector in read(folder / "index.json"):
        path = folder / vector["file"]
        rows, report, walk = list(lines_of(path)), vector["report"], Walk()
        cuts = {cut["entries"]: cut for cut in vector["cuts"]}
        for entries, row in enumerate(rows, 1):
            walk.line(*row)
            if entries in cuts:
                check_cut(f"{path}, cut at {entries}", walk, rows[entries:], report, cuts[entries])
        check(path, walk.report(), {name: report[name] for name in walk.report()})


def check_cut(what, walk, rest, report, cut):
    before, later = walk.report(), walk.resumed()
    check(f"{what}, questions", before["questions"], cut["questions"])
    check(f"{what}, has a state", before["ok"], cut["resumed"] is not None)
    if cut["resumed"] is None:
        return
    for row in rest:
        later.line(*row)
    expected = {**report, **cut["resumed"]}
    check(what, later.report(), {name: expected[name] for name in later.report()})


def main(vectors, *ledgers):
    check_hashes(Path(vectors))
    check_pairs(Path(vectors, "questions"))
    for folder in (Path(vectors, "questions"), *map(Path, ledgers)):
        check_ledgers(folder)
    print(f"authorities and questions, in Python: {passed} checks passed, {failed} failed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
