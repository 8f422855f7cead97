"""All that reaches into Snakemake where it has no public interface.

Each function names what would make it unnecessary. Snakemake may change any of it with a minor
version: `check_version` refuses another one than these functions were tried with.
"""

import ast
import inspect
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import snakemake
import yaml
from snakemake.common import overwrite_function_params
from snakemake.common.configfile import load_configfile
from snakemake.exceptions import WorkflowError
from snakemake.resources import Resource, Resources

from deltann import interpreter
from deltann.errors import StudyError
from deltann.study.overlay import COMMAND_LINE, Layer

VERSION = "9.27"


def check_version() -> None:
    """Make sure that this Snakemake is of the version that this module is made for.

    Raises:
        StudyError: it is of another one.
    """
    if not snakemake.__version__.startswith(f"{VERSION}."):
        raise StudyError(
            f"this is Snakemake {snakemake.__version__}; expected {VERSION}, the version in "
            "envs/driver.txt. Run `rm -r .venv; make .venv/ready`"
        )


# Unnecessary with a hook that Snakemake calls before it plans: `onstart` comes after that.
def before_planning(workflow: Any, begin: Callable[[bool], None]) -> None:
    """Have a function called before Snakemake plans what it then executes.

    It is not called for a dry run, nor for what executes nothing: a report, a graph, a list.

    Args:
        workflow: whose Snakefile is being parsed.
        begin: takes whether the jobs run on this machine.
    """
    execute = workflow.execute

    def beginning(executor_plugin: Any, **settings: Any) -> Any:
        if not executor_plugin.common_settings.dryrun_exec:
            _start_python_isolated(executor_plugin.executor)
            begin(executor_plugin.common_settings.local_exec)
        return _whole(workflow, execute(executor_plugin=executor_plugin, **settings))

    workflow.execute = beginning


# Unnecessary once Snakemake quotes the path of its Python, which may have spaces, in the command of
# a cluster's job or a group, and can be told to start it without PYTHONPATH.
def _start_python_isolated(executor: Any) -> None:
    command = shlex.join([str(interpreter.PYTHON), "-I"])
    executor.get_python_executable = lambda self: command


# Unnecessary once Snakemake's execute() raises where it now returns False: the caller drops that,
# and a cluster job without its inputs ends as if it had succeeded.
def _whole(workflow: Any, executed: bool | None) -> None:
    if executed is False:
        expected = workflow.execution_settings.wait_for_files
        missing = [str(path) for path in expected if not Path(path).exists()]
        raise WorkflowError(f"files that this job needs are missing: {', '.join(missing)}")


# Unnecessary once the Snakemake process of a job leaves its output alone: the run that submitted
# the job removes what a failed job left. When the job is cancelled late, its own removal would
# hit the output of the next run.
def leave_output_alone(workflow: Any) -> None:
    """Have this process, of a job, not remove the output of a job that failed."""
    workflow.execution_settings.keep_incomplete = True


# Unnecessary once a rate limit costs no timers. With it Snakemake sets a timer for one second at
# each step of its scheduler, and the step that a timer causes sets the next: every job that ends
# adds one for good. After 300 jobs they took a core; `jobs` and `cores` are limit enough.
def drop_rate_limit(workflow: Any) -> None:
    """Have the scheduler start jobs without a rate limit."""
    workflow.scheduler.job_rate_limiter = None


# Unnecessary once Snakemake remembers the parameters of a rule's functions: it asks for each one's
# two or three times at every job.
def remember_parameters(workflow: Any) -> None:
    """Let Snakemake look up which parameters the functions of the rules have."""
    functions = [Resource.evaluate]
    for rule in workflow.rules:
        evaluated = (resource._evaluator for resource in rule.resources.values())
        functions += filter(inspect.isfunction, (*rule.input, *rule.params, *evaluated))
    for function in functions:
        overwrite_function_params(function, inspect.signature(function).parameters)


# Unnecessary once a Snakefile can say how much of a resource there is: --resources alone can, and
# a resource that isn't declared limits nothing.
def declare_resource(workflow: Any, name: str, amount: int) -> None:
    """Say how much of a resource there is for all jobs together."""
    workflow.global_resources[name] = amount


# Unnecessary once a rule can keep one of the profile's default resources where it has a function.
def default_resource(workflow: Any, name: str) -> Any:
    """A resource of jobs that don't say it, from the profile; None where it doesn't say it."""
    default = workflow.resource_settings.default_resources or {}
    raw = Resources.from_mapping(default).get(name).raw
    try:
        return ast.literal_eval(raw) if isinstance(raw, str) else raw
    except (SyntaxError, ValueError):
        return raw


# Unnecessary once a Snakefile can see which file or option a value of `config` comes from.
def config_layers(workflow: Any) -> list[Layer]:
    """What each --configfile, and --config after them, says."""
    settings = workflow.config_settings
    files = [Layer(str(path), load_configfile(path)) for path in settings.configfiles]
    given = {name: _typed(value) for name, value in settings.config.items()}
    return [*files, *([Layer(COMMAND_LINE, given)] if given else [])]


# Unnecessary once Snakemake doesn't read each number in a mapping or list of --config as a text.
def _typed(value: Any, inside: bool = False) -> Any:
    if isinstance(value, dict):
        return {name: _typed(item, inside=True) for name, item in value.items()}
    if isinstance(value, list):
        return [_typed(item, inside=True) for item in value]
    if not inside or not isinstance(value, str):
        return value
    try:
        read = yaml.safe_load(value)
    except yaml.YAMLError:
        return value
    return read if read is None or isinstance(read, int | float) else value


# Unnecessary once `configfile:` can lay a file under the given ones by a rule of the workflow's.
def replaces_defaults(workflow: Any) -> bool:
    """Whether the command has the option --replace-workflow-config."""
    return workflow.config_settings.replace_workflow_config


# Unnecessary once a Snakefile can ask whether it is parsed for a job.
def in_job(workflow: Any) -> bool:
    """Whether this process is part of a job, and not the command that the user gave."""
    return not workflow.is_main_process


# Unnecessary once a rule's function can ask where its job runs.
def runs_here(workflow: Any) -> bool:
    """Whether jobs run on this machine, not on a cluster."""
    return workflow.local_exec
