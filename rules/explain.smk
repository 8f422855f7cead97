# The pass and the kernel by which a compiled cell leaves the native answers: a page that `all`
# doesn't make.
import json

from deltann.dataset.cell_names import CellNames
from deltann.study import grid, layout
from deltann.tvm import target_kinds
from deltann.workflow import inputs, resources
from deltann.workflow.code_digest import code_digest

EXPLAINED = inputs.Explained(config, CELLS)


rule explain:
    input:
        unpack(lambda wildcards: EXPLAINED.database_files(STUDY, wildcards)),
        artifact=lambda wildcards: f"{STUDY}/{EXPLAINED.model_file(wildcards)}",
        record=lambda wildcards: f"{STUDY}/{layout.record(EXPLAINED.model_file(wildcards))}",
        prediction=lambda wildcards: f"{STUDY}/{layout.prediction(EXPLAINED.cell(wildcards))}",
        native=lambda wildcards: f"{STUDY}/{layout.prediction(EXPLAINED.native(wildcards))}",
        images=lambda wildcards: (
            f"{STUDY}/{grid.prepared_images(config, EXPLAINED.cell(wildcards))}"
        ),
        class_names=rules.class_names.output.names,
        class_names_record=rules.class_names.output.record,
        environment=lambda wildcards: layout.manifest(
            grid.environment(config, EXPLAINED.cell(wildcards))
        ),
        page="scripts/deltann/explain/page.html",
        # For the commands on the page. Not ancient(): if save_config has to run, Snakemake 9.27 then
        # skips this job, although its page is missing.
        config=f"{STUDY}/{layout.CONFIG}",
    output:
        page=f"{STUDY}/{layout.explanation(layout.CELL_PATTERN, '.html')}",
        facts=f"{STUDY}/{layout.explanation(layout.CELL_PATTERN, '.json')}",
    log:
        f"{STUDY}/{layout.log(f'explain/{layout.CELL_PATTERN}')}",
    benchmark:
        f"{STUDY}/{layout.benchmark(f'explain/{layout.CELL_PATTERN}')}"
    retries: RETRIES
    resources:
        **resources.stage_resources(config, "compile"),
        **resources.device_resources(workflow, config),
    params:
        python=lambda wildcards: layout.interpreter(
            grid.environment(config, EXPLAINED.cell(wildcards))
        ),
        cell=layout.CELL_PATTERN,
        cell_name=lambda wildcards: CellNames(CELLS).of(EXPLAINED.cell(wildcards)),
        native_name=lambda wildcards: CellNames(CELLS).of(EXPLAINED.native(wildcards)),
        framework=lambda wildcards: inputs.imported(config, wildcards).framework,
        passes=lambda wildcards: json.dumps(grid.pass_sets(config)[wildcards.backend]),
        tvm_target=lambda wildcards: inputs.tvm_target(config, wildcards.device),
        device_threads=lambda wildcards: config["devices"][wildcards.device].get("threads", 0),
        preprocessing=lambda wildcards: grid.to_json(
            grid.preprocessing(config, EXPLAINED.cell(wildcards))
        ),
        database=lambda wildcards: EXPLAINED.database_options(STUDY, wildcards),
        seconds=config["limits"]["compile"]["seconds"],
        memory_mb=config["limits"]["compile"]["memory_mb"],
        code=lambda wildcards: code_digest(
            "scripts/explain.py",
            "deltann.explain.attempt",
            "deltann.explain.locate",
            target_kinds.module(config["devices"][wildcards.device]["target"]["kind"]),
        ),
    message:
        "Explaining {params.cell}"
    shell:
        "{params.python:q} scripts/explain.py --cell {params.cell:q}"
        " --cell-name {params.cell_name:q} --native-name {params.native_name:q}"
        " --framework {params.framework:q} --passes {params.passes:q}"
        " --schedule {wildcards.schedule:q} --target {params.tvm_target:q} {params.database:q}"
        " --class-names {input.class_names:q} --class-names-record {input.class_names_record:q}"
        " --threads {params.device_threads} --preprocessing {params.preprocessing:q}"
        " --images {input.images:q} --prediction {input.prediction:q} --native {input.native:q}"
        " --model-file {input.artifact:q} --model-file-record {input.record:q}"
        " --environment {input.environment:q}"
        " --seconds {params.seconds} --memory-mb {params.memory_mb}"
        " --retries-left {resources.retries_left}"
        " --config {input.config:q} --page {output.page:q} --facts {output.facts:q} > {log:q} 2>&1"
