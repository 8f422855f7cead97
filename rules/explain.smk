# The stage and the operator by which a cell leaves the native answers: a page that `all` doesn't
# make.
from deltann.dataset.cell_names import CellNames
from deltann.study import grid, layout
from deltann.workflow import resources
from deltann.workflow.code_digest import code_digest
from deltann.workflow.explained import Explained

EXPLAINED = Explained(config, CELLS)


rule explain:
    input:
        unpack(lambda wildcards: EXPLAINED.database_files(STUDY, wildcards)),
        files=lambda wildcards: EXPLAINED.files(STUDY, wildcards),
        records=lambda wildcards: EXPLAINED.records(STUDY, wildcards),
        prediction=lambda wildcards: f"{STUDY}/{layout.prediction(EXPLAINED.cell(wildcards))}",
        native=lambda wildcards: f"{STUDY}/{layout.prediction(EXPLAINED.native(wildcards))}",
        images=lambda wildcards: (
            f"{STUDY}/{grid.prepared_images(config, EXPLAINED.cell(wildcards))}"
        ),
        native_images=lambda wildcards: (
            f"{STUDY}/{grid.prepared_images(config, EXPLAINED.native(wildcards))}"
        ),
        class_names=rules.class_names.output.names,
        class_names_record=rules.class_names.output.record,
        environment=lambda wildcards: layout.manifest(
            grid.environment(config, EXPLAINED.cell(wildcards))
        ),
        manifests=lambda wildcards: EXPLAINED.manifests(wildcards),
        page="scripts/deltann/explain/page.html",
        # For the commands on the page. Not ancient(): if save_config has to run, Snakemake 9.27 then
        # skips this job, although its page is missing.
        config=f"{STUDY}/{layout.CONFIG}",
    output:
        page=f"{STUDY}/{layout.explanation(layout.CELL_PATTERN, '.html')}",
        example=f"{STUDY}/{layout.explanation(layout.CELL_PATTERN, '.zip')}",
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
        chain=lambda wildcards: EXPLAINED.chain(wildcards),
        runtime=lambda wildcards: EXPLAINED.runtime(wildcards),
        native_run=lambda wildcards: EXPLAINED.native_run(wildcards),
        compilation=lambda wildcards: EXPLAINED.compilation(wildcards),
        device_threads=lambda wildcards: config["devices"][wildcards.device].get("threads", 0),
        preprocessing=lambda wildcards: grid.to_json(
            grid.preprocessing(config, EXPLAINED.cell(wildcards))
        ),
        native_preprocessing=lambda wildcards: grid.to_json(
            grid.preprocessing(config, EXPLAINED.native(wildcards))
        ),
        database=lambda wildcards: EXPLAINED.database_options(STUDY, wildcards),
        seconds=config["limits"]["compile"]["seconds"],
        memory_mb=config["limits"]["compile"]["memory_mb"],
        code=lambda wildcards: code_digest("scripts/explain.py", *EXPLAINED.modules(wildcards)),
    message:
        "Explaining {params.cell}"
    shell:
        "{params.python:q} scripts/explain.py --cell {params.cell:q}"
        " --cell-name {params.cell_name:q} --native-name {params.native_name:q}"
        " --chain {params.chain:q} --files {input.files:q} --records {input.records:q}"
        " --manifests {input.manifests:q} --runtime {params.runtime:q} {params.native_run:q}"
        " --compilation {params.compilation:q} {params.database:q}"
        " --class-names {input.class_names:q} --class-names-record {input.class_names_record:q}"
        " --threads {params.device_threads} --preprocessing {params.preprocessing:q}"
        " --native-preprocessing {params.native_preprocessing:q} --images {input.images:q}"
        " --native-images {input.native_images:q} --prediction {input.prediction:q}"
        " --native {input.native:q} --environment {input.environment:q}"
        " --seconds {params.seconds} --memory-mb {params.memory_mb}"
        " --retries-left {resources.retries_left}"
        " --config {input.config:q} --page {output.page:q} --example {output.example:q}"
        " --facts {output.facts:q} > {log:q} 2>&1"
