"""A foreign tool and a stage of ours that misbehave in every way, and their processes watched."""

import time

import psutil

START_SECONDS = 30

# Lies outside of the package: whatever it raises is the foreign tool's.
FOREIGN = """
import ctypes, os, subprocess, sys, time

def returns(): return {"answer": 42}
def raises(): raise RuntimeError("unsupported operator: Swish")
def raises_without_message(): raise ValueError
def has_a_bug(): return nonsense
def segfaults(): ctypes.string_at(0)
def aborts(): os.abort()
def exits(): os._exit(3)
def exits_early(): os._exit(0)
def leaves(): sys.exit(4)
def fills_the_disk():
    with open("/dev/full", "wb") as stream:
        stream.write(b"x" * 100_000)
def cannot_find():
    open("/no/such/file")
def hangs(pids):
    grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
    with open(pids + ".part", "w") as stream:
        stream.write(f"{os.getpid()} {grandchild.pid}")
    os.rename(pids + ".part", pids)
    time.sleep(100)
def eats():
    held = []
    for _ in range(100):  # never more than 800 MB, should the limit not hold
        held.append(bytearray(b"1" * 8_000_000))
        time.sleep(0.01)
    time.sleep(2)
def grandchild_eats():
    code = "import foreign; foreign.eats()"
    subprocess.run([sys.executable, "-c", code])
"""
# Lies inside of the package, as every stage's module does.
OURS = """
from pathlib import Path

import foreign
from deltann import spot_check
from deltann.ours import ours

class Served:
    def call(self, how): return getattr(foreign, how)()

def misnames(): return nonsense
def miscalls(): foreign.returns(1)
def misses(): return foreign.nothing
def imports_nothing(): import no_such_package
def returns_no_json(): return {"answer": {1, 2}}

def raises_in_ours():
    with ours("planted work"): foreign.raises()
def segfaults_in_ours():
    with ours("planted work"): foreign.segfaults()
def changes_an_answer():
    import numpy as np
    spot_check.compare("planted rewrite", np.ones(3), np.zeros(3))
def segfaults_after_ours():
    with ours("planted work"): pass
    foreign.segfaults()

def work(how, model_file=None, output=None, text=None, **arguments):
    if how == "writes":
        Path(output).write_text(text)
        return {"length": len(text)}
    if how == "half":
        Path(output).write_text("half")
        raise RuntimeError("half way")
    function = globals().get(how) or getattr(foreign, how)
    return function(**arguments) or {}
"""


def wait_for(condition, seconds: float = START_SECONDS):
    """Wait until a condition holds, and fail if it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet waited for doesn't."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
