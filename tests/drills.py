"""Drills, for tests: a scenario of the verbs of every day, and how one is run."""
import json
import os
import subprocess

from conftest import LINTEL

SCENARIO = """
name: mass
title: Some certificates have to go
what: with the verbs of every day
beside: [Then]
steps:
  - {id: open, say: a halt, run: "halt --issuer tls --reason drill"}
  - {id: propose, say: a list is frozen, keep: "mass=id plan=plan", find: mass list, where: "masses cause=validation-unreliable",
     run: "revoke --scope 'names <= 2 and valid' --cause validation-unreliable --yes"}
  - {id: berta, run: "approve {plan} --yes", as: berta}
  - {id: carl, say: approved by two, run: "approve {plan} --yes", as: carl}
  - {id: revoked, say: revoked, run: "mass show {mass}", until: "status=done", keep: "revoked=revoked held=held already=already"}
  - {id: alone, say: the operator alone approves nothing, run: "plan run {plan} --yes", expect: refused}
  - {id: later, say: a day is over, at: 24h, run: "crl list --issuer tls"}
measures:
  - {id: halted, say: halted, from: open, to: open, within: 30s, beside: [never]}
  - {id: revoked, say: everything revoked, from: open, to: revoked, within: 24h, beside: ["5 d"]}
  - {id: waited, say: a day, from: open, to: later, within: 25h}
"""


def run(*args, check=True, timeout=300, **kw):
    """`lintel drill …` to its end. No CA folder of ours is in its way."""
    env = {k: v for k, v in os.environ.items() if k not in ("LINTEL_DIR", "LINTEL_OPERATOR")}
    result = subprocess.run([str(LINTEL), "drill", *map(str, args)], capture_output=True, text=True, timeout=timeout,
                            env={**env, **kw.pop("env", {})}, **kw)
    assert not check or result.returncode in (0, 6), result.stdout + result.stderr + log_tail(args)
    return result


def log_tail(args):
    for a in map(str, args):
        path = os.path.join(a, "drill", "serve.log")
        if os.path.exists(path):
            with open(path) as f:
                return "\n" + "".join(line for line in f if '"info"' not in line)[-3000:]
    return ""


def record(folder):
    with open(os.path.join(folder, "drill", "out", "record.json")) as f:
        return json.load(f)
