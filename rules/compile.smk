# A model file to machine code by TVM: its import, the passes of a level, the kernels of a device.
import json

from deltann.study import grid, layout
from deltann.tvm import target_kinds
from deltann.workflow import inputs, resources
from deltann.workflow.code_digest import code_digest


rule compile:
    input:
        unpack(lambda wildcards: inputs.database_files(STUDY, wildcards)),
        artifact=lambda wildcards: f"{STUDY}/{inputs.imported(config, wildcards).path}",
        record=lambda wildcards: (
            f"{STUDY}/{layout.record(inputs.imported(config, wildcards).path)}"
        ),
        environment=lambda wildcards: layout.manifest(config["compilers"][wildcards.compiler]),
    output:
        artifact=f"{STUDY}/{layout.compiled()}",
        record=f"{STUDY}/{layout.record(layout.compiled())}",
        graph=f"{STUDY}/{layout.graph(layout.compiled())}",
    log:
        f"{STUDY}/{layout.log(f'compile/{layout.COMPILED_PATTERN}')}",
    benchmark:
        f"{STUDY}/{layout.benchmark(f'compile/{layout.COMPILED_PATTERN}')}"
    retries: RETRIES
    resources:
        **resources.stage_resources(config, "compile"),
        **resources.placement_resources(workflow, config),
    params:
        python=lambda wildcards: layout.interpreter(config["compilers"][wildcards.compiler]),
        framework=lambda wildcards: inputs.imported(config, wildcards).framework,
        passes=lambda wildcards: json.dumps(grid.pass_sets(config)[wildcards.level]),
        tvm_target=lambda wildcards: inputs.tvm_target(config, wildcards.device),
        database=lambda wildcards: inputs.database_options(STUDY, wildcards),
        seconds=config["limits"]["compile"]["seconds"],
        memory_mb=config["limits"]["compile"]["memory_mb"],
        code=lambda wildcards: code_digest(
            "scripts/compile.py",
            "deltann.stages.compile",
            target_kinds.module(config["devices"][wildcards.device]["target"]["kind"]),
        ),
    message:
        "Compiling {wildcards.model} ({wildcards.source} to {wildcards.target} by"
        " {wildcards.route}, import {wildcards.importer}) by {wildcards.compiler} at"
        " {wildcards.level}, schedule {wildcards.schedule}, for {wildcards.device}"
    shell:
        "{params.python:q} scripts/compile.py --framework {params.framework:q}"
        " --passes {params.passes:q} --schedule {wildcards.schedule:q}"
        " --target {params.tvm_target:q} {params.database:q}"
        " --model-file {input.artifact:q} --model-file-record {input.record:q}"
        " --environment {input.environment:q}"
        " --seconds {params.seconds} --memory-mb {params.memory_mb}"
        " --retries-left {resources.retries_left}"
        " --artifact {output.artifact:q} --record {output.record:q}"
        " --graph {output.graph:q} > {log:q} 2>&1"
