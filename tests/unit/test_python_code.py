"""A model as Python code: its files are found before any job, and no other file may be read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deltann.formats import python_code
from helpers.workspace import ROOT

# A network in a package, with each kind of import; `alone.py` is imported by none.
PACKAGE = {
    "zoo/__init__.py": "",
    "zoo/nets/__init__.py": "from . import registry\n",
    "zoo/nets/registry.py": "NAMES = []\n",
    "zoo/nets/net.py": (
        "import json\nfrom ..layers.blocks import *\nfrom .heads import head as top\n"
        "import zoo.constants\nimport beside\n\n\ndef build():\n    from tools import late\n"
        "    return SCALE + top() + zoo.constants.ONE + beside.TEN + late.HUNDRED\n"
    ),
    "zoo/nets/heads.py": "def head():\n    return 0.5\n",
    "zoo/nets/beside.py": "TEN = 10\n",
    "zoo/nets/alone.py": "",
    "zoo/layers/__init__.py": "",
    "zoo/layers/blocks.py": "SCALE = 2\n",
    "zoo/constants.py": "ONE = 1\n",
    "tools/late.py": "HUNDRED = 100\n",
}
RUN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from deltann.formats import python_code
code, function, *declared = sys.argv[2:]
with python_code.only_reading([*python_code.files(Path(code)), *declared], ValueError):
    returned = python_code.call(Path(code), function)
print(returned)
"""


def write(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def call(folder: Path, *arguments: str) -> str:
    """What a function returns in a process of its own, or the last line of the error."""
    command = [sys.executable, "-c", RUN, ROOT / "scripts", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return (done.stdout or done.stderr).strip().splitlines()[-1]


def test_the_modules_that_code_imports_are_found_and_imported(tmp_path, monkeypatch):
    write(tmp_path, PACKAGE)
    monkeypatch.chdir(tmp_path)
    found = python_code.files(Path("zoo/nets/net.py"))
    assert found == sorted(PACKAGE.keys() - {"zoo/nets/alone.py"})
    assert call(tmp_path, "zoo/nets/net.py", "build") == "113.5"


def test_a_change_in_the_same_second_counts(tmp_path):
    """Python's own compiled files don't notice it: they have the second and the size."""
    write(tmp_path, {"net.py": "import part\nbuild = part.build\n"})
    for answer in "12":
        write(tmp_path, {"part.py": f"def build():\n    return {answer}\n"})
        os.utime(tmp_path / "part.py", (1e9, 1e9))
        subprocess.run([sys.executable, "-c", "import part"], cwd=tmp_path, check=True)
        assert call(tmp_path, "net.py", "build") == answer


def test_relative_imports_need_no_init_file(tmp_path):
    write(tmp_path, {"nets/net.py": "from .part import build\n"})
    write(tmp_path, {"nets/part.py": "def build():\n    return 3\n"})
    assert call(tmp_path, "nets/net.py", "build") == "3"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import importlib\n\n\ndef build():\n    importlib.import_module('part')\n", "part.py"),
        ("def build():\n    return open('data.json').read()\n", "data.json"),
    ],
)
def test_what_no_import_statement_names_is_refused_or_declared(tmp_path, code, said):
    write(tmp_path, {"net.py": code, "part.py": "\n", "data.json": "5"})
    assert call(tmp_path, "net.py", "build") == f"ValueError: {said}"
    assert call(tmp_path, "net.py", "build", "data.json", "part.py") in ("5", "None")


def test_code_may_read_what_it_wrote_and_what_is_installed(tmp_path):
    write(
        tmp_path,
        {
            "net.py": "import json, numpy.polynomial\n\n\ndef build():\n"
            "    open('made.txt', 'w').write('6')\n    return open('made.txt').read()\n"
        },
    )
    assert call(tmp_path, "net.py", "build") == "6"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"net.py": "import no_such_part\n"}, "net.py: no module 'no_such_part'; expected it in "),
        ({"net.py": "build = 3\n"}, "net.py has no function 'build'; expected the name of one"),
        ({"net.py": "def build(:\n"}, "net.py: not a Python file: invalid syntax"),
        ({"net.py": "import part\n", "part.py": "\0"}, "part.py: not a Python file: "),
    ],
)
def test_code_that_cannot_be_called_is_one_sentence(tmp_path, files, said):
    write(tmp_path, files)
    assert said in call(tmp_path, "net.py", "build")


def test_code_with_the_name_of_a_loaded_module_is_refused(tmp_path):
    write(tmp_path, {"sys.py": "def build():\n    return 1\n"})
    assert "'sys' is also the name of a module" in call(tmp_path, "sys.py", "build")
