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
    return f"{STUDY}/{routes.native_step(config, cell).path}"


# Each function of a rule costs Snakemake in each job: with two, what it reads and how it runs, in the
# place of one for each input and parameter, a dry run of ten thousand cells takes a seventh less.
def read_by_cell(wildcards):
    """What a cell's run reads."""
    cell, artifact = cell_of(wildcards), model_file(wildcards)
    return {
        "artifact": artifact,
        "record": f"{artifact}.json",
        "images": f"{STUDY}/{grid.prepared_images(config, cell)}",
        "environment": manifest(grid.environment(config, cell)),
    }


def run_of_cell(wildcards):
    """How a cell is run: the interpreter, the program's options, the digest of its code."""
    cell = cell_of(wildcards)
    runner = grid.runner(config, cell)
    return {
        "python": python(grid.environment(config, cell)),
        "cell": str(cell),
        "runner": runner,
        "settings": grid.settings(config, cell),
        "placement": json.dumps(device.placement(config, cell.device), sort_keys=True),
        "preprocessing": grid.to_json(grid.preprocessing(config, cell)),
        "code": code_digest(
            "scripts/infer.py", "deltann.stages.infer_child", f"deltann.runners.{runner}"
        ),
    }


def lock_of(wildcards):
    """The resource that stands for a cell's device, or None."""
    return device.lock(config["devices"][wildcards.device])


def holds(name, wildcards):
    """How much of a resource a cell takes: all of its device's."""
    return int(lock_of(wildcards) == name)


LOCKS = {device.lock(described) for described in config["devices"].values()} - {None}
for name in sorted(LOCKS):
    internals.declare_resource(workflow, name, 1)  # one that isn't declared limits nothing


rule infer:
    input:
        unpack(read_by_cell),
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
        run=run_of_cell,
        repeats=config["timing"]["repeats"],
        limits=limits("infer"),
    message:
        "infer {wildcards.model} ({wildcards.source} to {wildcards.target} by {wildcards.route},"
        " import {wildcards.importer}, preprocessing {wildcards.preprocessing} by"
        " {wildcards.resizer}) by {wildcards.backend} ({wildcards.compiler}, schedule"
        " {wildcards.schedule}) on {wildcards.device}"
    shell:
        "{params.run[python]:q} scripts/infer.py --cell {params.run[cell]:q} --runner {params.run[runner]:q}"
        " --settings {params.run[settings]:q}"
        " --model-file {input.artifact:q} --model-file-record {input.record:q}"
        " --images {input.images:q} --preprocessing {params.run[preprocessing]:q} --device {params.run[placement]:q}"
        " --repeats {params.repeats} --environment {input.environment:q} {params.limits}"
        " --code {params.run[code]}"
        " --retries-left {resources.retries_left} --output {output:q} > {log:q} 2>&1"
