"""What Snakemake prints while it runs, by the plugin in logger/: in a pipe, on a terminal."""

import json
import re
import subprocess
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from helpers.console import Console
from helpers.workspace import ROOT, SNAKEMAKE

CLOCK = r"\d\d:\d\d:\d\d"
LOG_END = [*(f"    line {number}" for number in range(4, 13)), "     the cause"]
# Each a run: where it is seen, and the options.
RUNS = {
    "fine": ("pipe", "slow.txt"),
    "broken": ("terminal",),
    "dry": ("pipe", "--dry-run"),
    "refused": ("pipe", "--config", "refused=1"),
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What each of the runs printed: lines in a pipe, a text on a terminal."""

    folders = {name: tmp_path_factory.mktemp(name) for name in RUNS}  # not safe in threads

    def run(name: str):
        way, *options = RUNS[name]
        console = Console(folders[name])
        return console.pipe(*options) if way == "pipe" else console.terminal(*options)

    with ThreadPoolExecutor() as pool:
        return dict(zip(RUNS, pool.map(run, RUNS), strict=True))


def planted(tmp_path, *events: dict, quiet: str = "") -> list[str]:
    """The lines that the plugin prints for log events, after `--quiet`."""
    script = ROOT / "tests/helpers/log_events.py"
    done = subprocess.run(
        [SNAKEMAKE.parent / "python", "-I", script, *quiet.split()],
        input=json.dumps(events),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and done.stdout == "", done.stderr
    return done.stderr.splitlines()


def begun(number: int, message: str, **more: object) -> dict:
    """The event of a job that was started."""
    fields = {"event": "job_info", "jobid": number, "rule_msg": message, "rule_name": "infer"}
    return fields | {"wildcards": {}, **more}


def test_in_a_pipe_each_finished_job_is_one_line(seen):
    first, steps, *jobs, done, log, elapsed = seen["fine"]
    assert (first, steps) == ("Building DAG of jobs...", "2 steps: quick 1, slow 1")
    assert len(jobs) == 2
    assert re.fullmatch(rf"\[1/2\] {CLOCK} +\d+ s  Making quick", jobs[0])
    assert re.fullmatch(rf"\[2/2\] {CLOCK} +[2-9] s  Taking the time that it takes", jobs[1])
    assert done == "2 of 2 steps (100%) done"
    assert log.startswith("Complete log(s): ") and elapsed.startswith("Elapsed time: ")


def test_a_terminal_shows_what_runs_and_the_time_left(seen):
    text = seen["broken"]
    assert re.search(r"Taking the time that it takes +[1-9]\d* s", text)
    assert re.search(r"[12] of 4, 1 failed, \d+ s, (time left: \?|over \d+ s left)", text)
    assert "\x1b[?25h" in text and not text.rstrip().endswith("\x1b[?25l")  # the cursor
    assert "[1/4]" not in text and "Select jobs" not in text


def test_a_failed_job_shows_the_end_of_its_log(seen):
    text = seen["broken"].replace("\r", "").replace("\x1b[2K", "\n")  # a line that is erased
    text = re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]", "", text)
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    heads = [at for at, line in enumerate(lines) if line.startswith("Error in rule broken:")]
    assert len(heads) == 2  # it was tried again
    for at in heads:
        head = r"Error in rule broken: Breaking \(exit status 3 after \d+ s\)"
        assert re.fullmatch(head, lines[at])
    assert lines[heads[1] + 1 :][:11] == [*LOG_END, "  log: logs/broken.log"]
    # The console has a thread of its own. By the time that it looks, the next try may have removed
    # the log of the first.
    gone = [f"  log: logs/broken.log ({why})" for why in ("not there", "empty")]
    after = lines[heads[0] + 1 :]
    assert after[:11] == [*LOG_END, "  log: logs/broken.log"] or after[0] in gone
    assert "Trying to restart job 3: Breaking" in lines
    end = lines.index("2 of 4 steps (50%) done, 1 failed:")
    assert lines[end + 1] == "  Breaking: logs/broken.log"
    log, elapsed = lines[end + 2 :]
    assert elapsed.startswith("Elapsed time: ")
    for word in ("for line in", "CalledProcessError", "At least one job", "a first line"):
        assert word not in text
    own = Path(log.removeprefix("Complete log(s): ")).read_text()
    assert "for line in $(seq 12)" in own and "CalledProcessError" in own


def test_a_dry_run_is_snakemakes(seen):
    text = "\n".join(seen["dry"])
    assert "Job stats:" in text and "total         4" in text
    assert "Job 3: Breaking" in text and "This was a dry-run" in text


def test_a_refused_run_is_one_sentence(seen):
    assert seen["refused"] == ["Error: config key refused: expected nothing"]


def test_jobs_of_a_cluster_are_submitted_finished_and_lost(tmp_path):
    (tmp_path / "slurm.log").write_text("slurmstepd: error: NODE FAILURE\n")
    lost = {"event": "job_error", "level": "ERROR", "jobid": 7, "rule_name": "infer"}
    reason = "SLURM-job '41' failed due to a node failure. For further error details see the "
    reason += "cluster/cloud log and the log files of the involved rule(s)."
    lost |= {"rule_msg": reason, "log": ["infer.log", "slurm.log"], "shellcmd": "true"}
    lines = planted(
        tmp_path,
        {"event": "resources_info", "msg": "Provided remote nodes: 9", "nodes": 9},
        {"event": "run_info", "msg": "", "stats": {"infer": 1, "all": 1, "total": 2}},
        begun(7, "Inferring"),
        {"msg": "Job 7 has been submitted with SLURM jobid 41 (log: slurm.log)."},
        lost | {"indent": False},
        {"msg": "Trying to restart job 7."},
        begun(7, "Inferring"),
        {"event": "job_finished", "msg": "Finished", "job_id": 7},
        {"event": "progress", "done": 1, "total": 2},
    )
    *lines, last = lines
    assert lines == [
        "2 steps: infer 1",
        "Job 7 has been submitted with SLURM jobid 41 (log: slurm.log): Inferring",
        "Error in rule infer: Inferring (after 0 s)",
        "  SLURM-job '41' failed due to a node failure.",
        "    slurmstepd: error: NODE FAILURE",
        "  log: infer.log (not there)",
        "  log: slurm.log",
        "Trying to restart job 7: Inferring",
    ]
    assert re.fullmatch(rf"\[1/2\] {CLOCK} +0 s  Inferring", last)


def test_quiet_runs_name_what_failed(tmp_path):
    """And with `--quiet rules` only numbers of steps."""
    command = "Command 'set -euo pipefail;  exit 3' returned non-zero exit status 3."
    error = {"event": "error", "level": "ERROR", "exception": "RuleException", "msg": command}
    failed = {"event": "job_error", "level": "ERROR", "jobid": 2, "rule_name": "infer"}
    failed |= {"rule_msg": None, "log": [], "shellcmd": "exit 3", "indent": False}
    events = [
        {"event": "run_info", "msg": "", "stats": {"infer": 2, "total": 2}},
        *(begun(1, "Inferring one"), begun(2, "Inferring two")),
        {"event": "job_finished", "msg": "Finished", "job_id": 1},
        {"event": "progress", "done": 1, "total": 2},
        *(error, failed),
    ]
    two = "Error in rule infer: Inferring two (exit status 3 after 0 s)"
    assert planted(tmp_path, *events, quiet="all") == [two]
    rules = planted(tmp_path, *events, quiet="rules")
    assert rules == ["2 steps: infer 2", "1 of 2 steps (50%) done", two]


def test_of_a_group_that_failed_the_failed_jobs_log_is_shown(tmp_path):
    (tmp_path / "b.log").write_text("boom\n")
    (tmp_path / "group.log").write_text(
        "Error in rule compile:\n    log: b.log (check log file(s) for error details)\n"
    )
    group = {"event": "group_error", "level": "ERROR", "groupid": "compile_cpu"}
    group |= {"aux_logs": ["group.log"], "job_error_info": [{}, {}], "external_jobid": "41"}
    assert planted(tmp_path, group) == [
        "Error in group compile_cpu (job 41 of the cluster), in one of its 2 jobs:",
        "    boom",
        "  log: b.log",
    ]


def module(name: str) -> types.ModuleType:
    """A module of the plugin, without what the plugin imports from Snakemake."""
    made = types.ModuleType(name)
    path = ROOT / f"logger/snakemake_logger_plugin_deltann/{name}.py"
    exec(compile(path.read_text(), path, "exec"), made.__dict__)
    return made


def test_time_left_is_what_the_same_rules_took_so_far():
    """Two jobs at a time count half; a rule without a finished job is not known."""
    now = [0.0]
    words = module("words")
    jobs = module("jobs").Jobs(lambda: now[0])
    jobs.plan({"convert": 4, "infer": 2, "all": 1}, {})
    assert words.time_left(*jobs.left()) == "time left: ?"
    jobs.start(1, "convert", "a")
    jobs.start(2, "convert", "b")
    now[0] = 20
    jobs.finish(1)
    jobs.finish(2)
    assert jobs.costs() == {"convert": 10.0}
    assert jobs.left() == (20.0, False)
    assert words.time_left(*jobs.left()) == "over 20 s left"
    jobs.start(3, "convert", "c")
    now[0] = 26
    assert jobs.left() == (14.0, False)
    jobs.fail(3, ["c.log"])
    jobs.start(4, "infer", "d")
    now[0] = 126
    jobs.finish(4)
    assert jobs.left() == (2 * 10 + 100, True)
    assert words.time_left(*jobs.left()) == "about 2 min left"


def test_an_earlier_run_tells_the_time_of_rules_that_are_to_come():
    words = module("words")
    jobs = module("jobs").Jobs(lambda: 0.0)
    jobs.plan({"infer": 3, "all": 1}, {"infer": 25.0, "tables": 9.0})
    assert words.time_left(*jobs.left()) == "about 1 min 20 s left"


def test_what_jobs_took_is_remembered(tmp_path, monkeypatch):
    """For this machine and for a cluster; a file that can't be read is none."""
    monkeypatch.chdir(tmp_path)
    jobs = module("jobs")
    jobs.write_past(jobs.HERE, {"infer": 1.0})  # without a folder for it
    assert jobs.read_past(jobs.HERE) == {}
    jobs.PAST.parent.mkdir()
    jobs.write_past(jobs.HERE, {"infer": 1.0, "tables": 2.0})
    jobs.write_past(jobs.HERE, {"infer": 3.0})
    jobs.write_past(jobs.CLUSTER, {"infer": 4.0})
    assert jobs.read_past(jobs.HERE) == {"infer": 3.0, "tables": 2.0}
    assert jobs.read_past(jobs.CLUSTER) == {"infer": 4.0}
    jobs.PAST.write_text("half of a fi")
    assert jobs.read_past(jobs.HERE) == {}
