# One cell's model on every image: the prediction file.
from dataclasses import asdict

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
    return grid.runner(cell_of(wildcards))


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
    # a timed job holds all of the machine; Snakemake lowers this to --cores
    threads: os.cpu_count()
    resources:
        retries_left=retries_left,
    params:
        python=lambda wildcards: python(grid.environment(config, cell_of(wildcards))),
        runner=runner,
        settings=lambda wildcards: grid.settings(config, cell_of(wildcards)),
        cell=lambda wildcards: str(cell_of(wildcards)),
        device_threads=lambda wildcards: config["devices"][wildcards.device].get("threads", 0),
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
        " --images {input.images:q} --preprocessing {params.preprocessing:q} --threads {params.device_threads}"
        " --repeats {params.repeats} --environment {input.environment:q} {params.limits}"
        " --retries-left {resources.retries_left} --output {output:q} > {log:q} 2>&1"
