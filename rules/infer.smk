# One cell's model on every image: the prediction file.
from dataclasses import asdict
from functools import partial

from deltann import device
from deltann.cell import NAMES

CELL = "/".join(f"{{{name}}}" for name in NAMES)


def cell_of(wildcards):
    """The cell that a rule's wildcards name."""
    return Cell(*(wildcards[name] for name in NAMES))


def model_file(wildcards):
    """The file that a cell's runner loads."""
    cell = cell_of(wildcards)
    if cell.compiled:
        return f"{STUDY}/compiled/{COMPILED.format(level=cell.backend, **asdict(cell))}"
    return f"{STUDY}/{grid.native_step(config, cell).path}"


def runner(wildcards):
    """The runner of a cell."""
    return grid.runner(config, cell_of(wildcards))


def lock_of(wildcards):
    """The resource that stands for a cell's device, or None."""
    return device.lock(config["devices"][wildcards.device])


def holds(name, wildcards):
    """How much of a resource a cell takes: all of its device's."""
    return int(lock_of(wildcards) == name)


LOCKS = {device.lock(described) for described in config["devices"].values()} - {None}
for name in sorted(LOCKS):
    workflow.global_resources[name] = 1  # one that isn't declared limits nothing


rule infer:
    input:
        artifact=model_file,
        record=lambda wildcards: f"{model_file(wildcards)}.json",
        images=lambda wildcards: f"{STUDY}/{grid.inputs(config, cell_of(wildcards))}",
        environment=lambda wildcards: manifest(grid.environment(config, cell_of(wildcards))),
    output:
        f"{STUDY}/predictions/{CELL}.nc",
    log:
        f"{STUDY}/logs/infer/{CELL}.log",
    retries: RETRIES
    # a timed job holds all of the machine that it runs on: all cores of this one, which Snakemake
    # lowers to --cores, or an RPC server; on a cluster cpus_per_task says how many of a node's
    threads: lambda wildcards: 1 if lock_of(wildcards) else os.cpu_count()
    resources:
        **{name: partial(holds, name) for name in LOCKS},
        **asked("infer"),
        **on_device(),
    params:
        python=lambda wildcards: python(grid.environment(config, cell_of(wildcards))),
        runner=runner,
        settings=lambda wildcards: grid.settings(config, cell_of(wildcards)),
        cell=lambda wildcards: str(cell_of(wildcards)),
        place=lambda wildcards: json.dumps(device.place(config, wildcards.device), sort_keys=True),
        preprocessing=lambda wildcards: grid.to_json(grid.preprocessing(config, cell_of(wildcards))),
        repeats=config["timing"]["repeats"],
        limits=limits("infer"),
        code=lambda wildcards: code_digest(
            "scripts/infer.py",
            "deltann.infer",
            f"deltann.runners.{runner(wildcards)}",
        ),
    message:
        "infer {wildcards.model} ({wildcards.source} to {wildcards.target} by {wildcards.route},"
        " import {wildcards.importer}, preprocessing {wildcards.preprocessing} by"
        " {wildcards.resizer}) by {wildcards.backend} ({wildcards.compiler}, schedule"
        " {wildcards.schedule}) on {wildcards.device}"
    shell:
        "{params.python:q} scripts/infer.py --cell {params.cell:q} --runner {params.runner:q}"
        " --settings {params.settings:q}"
        " --source {input.artifact:q} --source-record {input.record:q}"
        " --images {input.images:q} --preprocessing {params.preprocessing:q} --device {params.place:q}"
        " --repeats {params.repeats} --environment {input.environment:q} {params.limits}"
        " --retries-left {resources.retries_left} --output {output:q} > {log:q} 2>&1"
