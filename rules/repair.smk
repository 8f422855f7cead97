# The model file of a cell that a converter changed, repaired: a page that `all` doesn't make.
from deltann.dataset.cell_names import CellNames
from deltann.study import grid, layout
from deltann.workflow import inputs, repaired, resources
from deltann.workflow.code_digest import code_digest

REPAIRED = repaired.Repaired(config, CELLS)


# Beside the outputs lies the repaired file, if there is one: its suffix is that of its format.
rule repair:
    input:
        unpack(lambda wildcards: REPAIRED.calibration(STUDY, wildcards)),
        files=lambda wildcards: REPAIRED.files(STUDY, wildcards),
        records=lambda wildcards: REPAIRED.records(STUDY, wildcards),
        prediction=lambda wildcards: f"{STUDY}/{layout.prediction(REPAIRED.cell(wildcards))}",
        native=lambda wildcards: f"{STUDY}/{layout.prediction(REPAIRED.native(wildcards))}",
        images=lambda wildcards: f"{STUDY}/{grid.prepared_images(config, REPAIRED.cell(wildcards))}",
        manifests=lambda wildcards: REPAIRED.manifests(wildcards),
        environment=layout.manifest("analysis"),
        page="scripts/deltann/repair/page.html",
    output:
        page=f"{STUDY}/{layout.repair(layout.CELL_PATTERN, '.html')}",
        facts=f"{STUDY}/{layout.repair(layout.CELL_PATTERN, '.json')}",
    log:
        f"{STUDY}/{layout.log(f'repair/{layout.CELL_PATTERN}')}",
    benchmark:
        f"{STUDY}/{layout.benchmark(f'repair/{layout.CELL_PATTERN}')}"
    retries: RETRIES
    resources:
        **resources.stage_resources(repaired.patient(config), "convert"),
    params:
        python=layout.interpreter("analysis"),
        cell=layout.CELL_PATTERN,
        cell_name=lambda wildcards: CellNames(CELLS).of(REPAIRED.cell(wildcards)),
        chain=lambda wildcards: REPAIRED.chain(wildcards),
        preprocessing=lambda wildcards: grid.to_json(
            grid.preprocessing(config, REPAIRED.cell(wildcards))
        ),
        calibration=lambda wildcards: REPAIRED.calibration_options(STUDY, wildcards),
        tvm_target=lambda wildcards: inputs.tvm_target(config, wildcards.device),
        schedule=REPAIRED.schedule,
        tvm_environment=REPAIRED.tvm_environment,
        device_threads=lambda wildcards: config["devices"][wildcards.device].get("threads", 0),
        seconds=config["limits"]["convert"]["seconds"],
        memory_mb=config["limits"]["convert"]["memory_mb"],
        code=lambda wildcards: code_digest("scripts/repair.py", *REPAIRED.modules(wildcards)),
    message:
        "Repairing {params.cell}"
    shell:
        "{params.python:q} scripts/repair.py --cell {params.cell:q}"
        " --cell-name {params.cell_name:q} --chain {params.chain:q}"
        " --files {input.files:q} --records {input.records:q} --manifests {input.manifests:q}"
        " --preprocessing {params.preprocessing:q} --images {input.images:q}"
        " {params.calibration:q} --prediction {input.prediction:q} --native {input.native:q}"
        " --target {params.tvm_target:q} --schedule {params.schedule:q}"
        " --tvm-environment {params.tvm_environment:q} --threads {params.device_threads}"
        " --environment {input.environment:q}"
        " --seconds {params.seconds} --memory-mb {params.memory_mb}"
        " --retries-left {resources.retries_left}"
        " --page {output.page:q} --facts {output.facts:q} > {log:q} 2>&1"
