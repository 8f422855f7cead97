"""Every interpreter that the project starts sees its environment's packages and no others."""

import ast
import os
import re
import subprocess
import sys

import pytest

from deltann import interpreter
from deltann.execution.isolation import Limits, Task
from helpers import planted
from helpers.workspace import ROOT

PYTHON_PATH = re.compile(r"(^|/)python[\d.]*$")
# The modules that may name an interpreter.
NAMING = ("interpreter.py",)
RULES = sorted([*ROOT.glob("rules/*.smk"), ROOT / "Snakefile", ROOT / "redraw.smk"])
STARTS = ("{params.python:q} scripts/", "{DRIVER_PYTHON:q} scripts/")


def named_in_code(text: str) -> list[int]:
    """The lines of a module that name an interpreter by themselves."""
    found = []
    for node in ast.walk(ast.parse(text)):
        executable = isinstance(node, ast.Attribute) and node.attr == "executable"
        spelt = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if executable or (spelt and PYTHON_PATH.search(node.value)):
            found.append(node.lineno)
    return found


def wrong_in_rules(text: str) -> list[str]:
    """What of a rules file starts something that isn't an isolated interpreter."""
    wrong = re.findall(r"^\s*(?:run|script|notebook|wrapper|cwl):", text, re.MULTILINE)
    shells = re.findall(r'^\s*shell:\s*"+([^"]*)', text, re.MULTILINE)
    wrong += [shell for shell in shells if not shell.startswith(STARTS)]
    pythons = re.findall(r"\bpython=(?:lambda wildcards: )?([\w.]+)", text)
    return wrong + [python for python in pythons if python != "layout.interpreter"]


def wrong_in_makefile(text: str) -> list[str]:
    """The commands of a Makefile that start an interpreter that isn't isolated."""
    text = re.sub(r"#.*", "", text)
    starts = re.findall(r"(\S*(?:\$\(PYTHON\)|bin/python|\)python)) +(-\S*)?", text)
    return [start for start, flag in starts if flag not in ("-I", "-s")]


def test_no_module_starts_an_interpreter_by_itself():
    paths = [path for path in ROOT.glob("scripts/**/*.py") if path.name not in NAMING]
    assert len(paths) > 100
    for path in paths:
        assert named_in_code(path.read_text()) == [], path


def test_every_rule_and_target_starts_an_isolated_one():
    shells = 0
    for path in RULES:
        assert wrong_in_rules(path.read_text()) == [], path
        shells += path.read_text().count("shell:")
    assert shells > 15
    assert wrong_in_makefile((ROOT / "Makefile").read_text()) == []


def test_one_that_is_not_isolated_would_be_found():
    assert named_in_code("run([sys.executable, 'x'])") == [1]
    assert named_in_code("run(f'{folder}/bin/python')") == [1]
    assert wrong_in_rules('rule a:\n    shell:\n        "python x.py"\n') == ["python x.py"]
    assert wrong_in_rules("rule a:\n    run:\n        pass\n") != []
    assert wrong_in_rules("    params:\n        python=sys.executable,\n") == ["sys.executable"]
    assert wrong_in_makefile("a:\n\t$(PYTHON) x.py\n") == ["$(PYTHON)"]
    assert wrong_in_makefile("a:\n\t.venv/bin/python x.py\n") == [".venv/bin/python"]


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """This process's variables as those of a shell with planted packages."""
    for name, value in planted.variables(tmp_path / "planted").items():
        monkeypatch.setenv(name, value)
    return tmp_path / "planted"


def test_the_planted_packages_are_found_by_one_that_is_not_isolated(shell):
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    assert "sitecustomize" in planted.found(shell)[0]


def test_a_script_ignores_them(shell, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import numpy, PIL, os; print(numpy.__file__, PIL.__file__)")
    folder = str(interpreter.PYTHON.parent.parent)
    subprocess.run([*interpreter.of_environment(folder), script], check=True)
    subprocess.run(interpreter.tool("pytest", "--version"), check=True)
    assert planted.found(shell) == []


def test_a_foreign_tool_and_what_it_starts_ignore_them(shell, tmp_path, monkeypatch):
    """The child has the project's own package on its path, and passes it on."""
    module = "tests_foreign_tool"
    (tmp_path / f"{module}.py").write_text(
        "import subprocess, sys, os\n"
        "def work(written):\n"
        "    import numpy, PIL\n"
        "    code = 'import numpy, PIL, deltann.cell'\n"
        "    subprocess.run([sys.executable, '-c', code], check=True)\n"
        "    return {name: value for name, value in os.environ.items() if 'PYTHON' in name}\n"
    )
    before = interpreter.SCRIPTS
    monkeypatch.setattr(interpreter, "SCRIPTS", os.pathsep.join([before, str(tmp_path)]))
    outcome = Task(module, {"written": ""}, Limits(60, 4000), tmp_path).wait()
    assert outcome.failure is None
    assert outcome.result["PYTHONPATH"].startswith(before)
    assert planted.found(shell) == []


def test_what_snakemake_starts_ignores_them(shell):
    code = (
        f"import subprocess, sys; sys.path.insert(0, {interpreter.SCRIPTS!r})\n"
        "from deltann import interpreter; interpreter.clean_this_process()\n"
        "subprocess.run([sys.executable, '-c', 'import numpy, PIL'], check=True)"
    )
    subprocess.run([sys.executable, "-I", "-c", code], check=True)
    assert planted.found(shell) == []


def test_an_import_profile_is_kept():
    assert interpreter.clean({"PYTHONPROFILEIMPORTTIME": "1", "PYTHONHOME": "/x", "A": "b"}) == {
        "PYTHONPROFILEIMPORTTIME": "1",
        "A": "b",
        "PYTHONNOUSERSITE": "1",
        "PYTHONSAFEPATH": "1",
    }
