#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What contrib/ offers for other people's CI is well-formed and works on the examples: ci.py VETHWALL

The commands of the workflow's steps are run as they stand, in a repository made here, but for those that install; "gh" is a
stand-in that keeps what it is given. The hooks are run as pre-commit would, with the files that match. Exit status 77
where there is no reader of YAML."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

try:
    import yaml
except ImportError:
    print("1..0 # SKIP python3-yaml is not installed")
    sys.exit(77)

TOP = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
VETHWALL = os.path.realpath(sys.argv[1])
count = failed = 0


def check(what, good, detail=""):
    global count, failed
    good = bool(good)
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {what}")
    if not good and detail:
        print("".join(f"# {line}\n" for line in str(detail).splitlines()), end="")


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return yaml.safe_load(f)


def run(command, where, **env):
    return subprocess.run(command, cwd=where, env=dict(ENV, **env), text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)


def git(where, *words):
    done = run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false", *words], where)
    if done.returncode:
        sys.exit(f"git {words}: {done.stdout}")
    return done.stdout.strip()


def make_repository(where):
    """Two commits: the formatted examples, and the shop's database open to everybody."""
    os.makedirs(os.path.join(where, "policies"))
    for name in os.listdir(os.path.join(TOP, "policies/examples")):
        shutil.copy(os.path.join(TOP, "policies/examples", name), os.path.join(where, "policies"))
    shutil.copy(os.path.join(TOP, "policies/inventory.yaml"), where)
    git(where, "init", "-q", "-b", "main")
    run([VETHWALL, "fmt", "policies"], where)
    git(where, "add", "-A")
    git(where, "commit", "-q", "-m", "examples")
    base = git(where, "rev-parse", "HEAD")
    with open(os.path.join(where, "policies/shop.yaml"), "a", encoding="utf-8") as f:
        f.write("---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: open-db\n"
                "  namespace: shop\nspec:\n  podSelector:\n    matchLabels:\n      com.docker.compose.service: db\n"
                "  policyTypes:\n    - Ingress\n  ingress:\n    - {}\n")
    git(where, "commit", "-q", "-a", "-m", "open")
    return base


def check_workflow(work):
    flow = read("contrib/github/policies.yaml")
    repository, temp = os.path.join(work, "repository"), os.path.join(work, "temp")
    base = make_repository(repository)
    os.mkdir(temp)
    steps = {step["name"]: step for step in flow["jobs"]["policies"]["steps"] if "name" in step}
    env = dict(flow["env"], RUNNER_TEMP=temp, BASE=base, PULL_REQUEST="7", GH_TOKEN="none")
    # The variables that a step is given are those that the run above has.
    given = {name for step in steps.values() for name in step.get("env", {})}
    check("the steps' variables are known", given == {"BASE", "PULL_REQUEST", "GH_TOKEN"}, given)
    check("no expression stands in a command",
          not any("${{" in step.get("run", "") for step in steps.values()))

    def step(name):
        return run(["bash", "-e", "-o", "pipefail", "-c", steps[name]["run"]], repository, **env)

    done = step("Format")
    check("Format has nothing to say", done.returncode == 0 and done.stdout == "", done.stdout)
    done = step("Lint")
    check("Lint finds the open database", done.returncode == 1 and re.search("^::warning .*title=VW214", done.stdout, re.M), done.stdout)
    done = step("Lint for code scanning")
    check("and for code scanning, without failing", done.returncode == 0, done.stdout)
    with open(os.path.join(repository, steps["Upload"]["with"]["sarif_file"]), encoding="utf-8") as f:
        check("what is uploaded has results", json.load(f)["runs"][0]["results"])
    done = step("Diff")
    check("Diff comments", done.returncode == 0, done.stdout)
    with open(os.path.join(work, "gh"), encoding="utf-8") as f:
        said = f.read()
    check("on the pull request", said.startswith("pr comment 7 "), said)
    check("with the policy that opens it", "shop/open-db" in said, said)
    with open(os.path.join(repository, "policies/shop.yaml"), "a", encoding="utf-8") as f:
        f.write("---\nkind:   Namespace\napiVersion: v1\nmetadata: {name: shop}\n")
    done = step("Format")
    check("Format sees what is not in form", done.returncode == 1 and "+kind: Namespace" in done.stdout, done.stdout)
    return repository


def check_hooks(repository):
    hooks = {hook["id"]: hook for hook in read(".pre-commit-hooks.yaml")}
    check("the hooks are fmt and lint", set(hooks) == {"vethwall-fmt", "vethwall-lint"})
    with open(os.path.join(TOP, "contrib/pre-commit/README.md"), encoding="utf-8") as f:
        shown = yaml.safe_load(re.search(r"```yaml\n(.*?)```", f.read(), re.S)[1])
    check("which are those that are shown", [h["id"] for h in shown["repos"][0]["hooks"]] == list(hooks))
    files = git(repository, "ls-files").splitlines()
    for name, hook in hooks.items():
        wanted = [path for path in files if re.search(hook["files"], path)]
        check(f"{name}: has the policies and not the inventory",
              "policies/shop.yaml" in wanted and "inventory.yaml" not in wanted, wanted)
        before = git(repository, "diff")
        done = run(hook["entry"].split() + wanted, repository)
        if name == "vethwall-fmt":
            check(f"{name}: puts them in form", done.returncode == 0 and git(repository, "diff") != before, done.stdout)
        else:
            check(f"{name}: finds the open database", done.returncode == 1 and "VW214" in done.stdout, done.stdout)


with tempfile.TemporaryDirectory() as work:
    binaries = os.path.join(work, "bin")
    os.mkdir(binaries)
    os.symlink(VETHWALL, os.path.join(binaries, "vethwall"))
    with open(os.path.join(binaries, "gh"), "w", encoding="utf-8") as f:
        f.write(f'#!/bin/bash\n{{ echo "$@"; cat "${{@: -1}}"; }} >"{work}/gh"\n')
    os.chmod(os.path.join(binaries, "gh"), 0o755)
    ENV = dict(os.environ, PATH=binaries + ":" + os.environ["PATH"], HOME=work, GIT_CONFIG_NOSYSTEM="1")
    check_hooks(check_workflow(work))
print(f"1..{count}")
sys.exit(failed > 0)
