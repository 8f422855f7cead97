# A cell's model on every image: the prediction file.
import os

from deltann.study import grid, layout
from deltann.workflow import inputs, resources
from deltann.workflow.code_digest import code_digest
from deltann.workflow.inputs import cell_of


rule infer:
    input:
        artifact=lambda wildcards: f"{STUDY}/{inputs.model_file(config, cell_of(wildcards))}",
        record=lambda wildcards: (
            f"{STUDY}/{layout.record(inputs.model_file(config, cell_of(wildcards)))}"
        ),
        exported=lambda wildcards: f"{STUDY}/{inputs.export_record(config, cell_of(wildcards))}",
        images=lambda wildcards: f"{STUDY}/{grid.prepared_images(config, cell_of(wildcards))}",
        environment=lambda wildcards: layout.manifest(grid.environment(config, cell_of(wildcards))),
    output:
        f"{STUDY}/{layout.prediction(layout.CELL_PATTERN)}",
    log:
        f"{STUDY}/{layout.log(f'infer/{layout.CELL_PATTERN}')}",
    benchmark:
        f"{STUDY}/{layout.benchmark(f'infer/{layout.CELL_PATTERN}')}"
    retries: RETRIES
    threads: resources.timed_threads(config, os.cpu_count())
    resources:
        **resources.lock_resources(workflow, config),
        **resources.stage_resources(config, "infer"),
        **resources.device_resources(workflow, config),
    params:
        python=lambda wildcards: layout.interpreter(grid.environment(config, cell_of(wildcards))),
        cell=layout.CELL_PATTERN,
        runner=lambda wildcards: grid.runner(config, cell_of(wildcards)),
        settings=lambda wildcards: grid.settings(config, cell_of(wildcards)),
        preprocessing=lambda wildcards: grid.to_json(grid.preprocessing(config, cell_of(wildcards))),
        device=lambda wildcards: inputs.device_placement(config, wildcards.device),
        repeats=config["timing"]["repeats"],
        seconds=config["limits"]["infer"]["seconds"],
        memory_mb=config["limits"]["infer"]["memory_mb"],
        code=lambda wildcards: code_digest(
            "scripts/infer.py",
            "deltann.stages.infer_child",
            f"deltann.runners.{grid.runner(config, cell_of(wildcards))}",
        ),
    message:
        "Inferring {wildcards.model} ({wildcards.source} to {wildcards.target} by"
        " {wildcards.route}, import {wildcards.importer}, preprocessing"
        " {wildcards.preprocessing} by {wildcards.resizer}) by {wildcards.backend}"
        " ({wildcards.compiler}, schedule {wildcards.schedule}) on {wildcards.device}"
    shell:
        "{params.python:q} scripts/infer.py --cell {params.cell:q} --runner {params.runner:q}"
        " --settings {params.settings:q}"
        " --model-file {input.artifact:q} --model-file-record {input.record:q}"
        " --export-record {input.exported:q}"
        " --images {input.images:q} --preprocessing {params.preprocessing:q}"
        " --device {params.device:q} --repeats {params.repeats}"
        " --environment {input.environment:q}"
        " --seconds {params.seconds} --memory-mb {params.memory_mb} --code {params.code}"
        " --retries-left {resources.retries_left} --output {output:q} > {log:q} 2>&1"
