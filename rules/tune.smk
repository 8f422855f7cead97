# The choices of the schedules, measured kernel by kernel on a device: a database of its own.
import json
import os

from deltann.study import file_checks, grid, layout
from deltann.tvm import target_kinds
from deltann.workflow import inputs, resources
from deltann.workflow.code_digest import code_digest

check_config(file_checks.check_database, config)


rule tune:
    input:
        artifact=lambda wildcards: f"{STUDY}/{inputs.imported(config, wildcards).path}",
        record=lambda wildcards: (
            f"{STUDY}/{layout.record(inputs.imported(config, wildcards).path)}"
        ),
        environment=lambda wildcards: layout.manifest(config["compilers"][wildcards.compiler]),
        known=config["tuning"].get("database", []),
    output:
        artifact=f"{STUDY}/{layout.tuned()}",
        record=f"{STUDY}/{layout.record(layout.tuned())}",
    log:
        f"{STUDY}/{layout.log(f'tune/{layout.TUNED_PATTERN}')}",
    benchmark:
        f"{STUDY}/{layout.benchmark(f'tune/{layout.TUNED_PATTERN}')}"
    retries: RETRIES
    threads: os.cpu_count()  # all of the machine; on a cluster, cpus_per_task counts instead
    resources:
        **resources.stage_resources(config, "tune"),
        **resources.device_resources(workflow, config),
    params:
        python=lambda wildcards: layout.interpreter(config["compilers"][wildcards.compiler]),
        framework=lambda wildcards: inputs.imported(config, wildcards).framework,
        passes=lambda wildcards: json.dumps(grid.pass_sets(config)[wildcards.level]),
        tvm_target=lambda wildcards: inputs.tvm_target(config, wildcards.device),
        device_threads=lambda wildcards: config["devices"][wildcards.device].get("threads", 0),
        trials=config["tuning"]["trials"],
        known=lambda wildcards, input: ["--known", input.known] if input.known else [],
        seconds=config["limits"]["tune"]["seconds"],
        memory_mb=config["limits"]["tune"]["memory_mb"],
        code=lambda wildcards: code_digest(
            "scripts/tune.py",
            "deltann.stages.tune",
            target_kinds.module(config["devices"][wildcards.device]["target"]["kind"]),
        ),
    message:
        "Tuning {wildcards.model} ({wildcards.source} to {wildcards.target} by {wildcards.route},"
        " import {wildcards.importer}) by {wildcards.compiler} at {wildcards.level} for"
        " {wildcards.device}"
    shell:
        "{params.python:q} scripts/tune.py --framework {params.framework:q}"
        " --passes {params.passes:q} --target {params.tvm_target:q}"
        " --threads {params.device_threads} --trials {params.trials} {params.known:q}"
        " --model-file {input.artifact:q} --model-file-record {input.record:q}"
        " --environment {input.environment:q}"
        " --seconds {params.seconds} --memory-mb {params.memory_mb}"
        " --retries-left {resources.retries_left}"
        " --artifact {output.artifact:q} --record {output.record:q} > {log:q} 2>&1"
