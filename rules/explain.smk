# Where a compiled cell's answers leave the native ones: a page that `all` doesn't make.
from deltann import device
from deltann.study.reference import References


def explained(wildcards):
    """The compiled cell that is to be explained."""
    cell = cell_of(wildcards)
    if cell not in CELLS:
        raise WorkflowError(f"{cell} is not a cell of this study; {STUDY}/cells.txt lists them")
    if not cell.compiled:
        raise WorkflowError(
            f"{cell} is run by its framework's own runtime: there are no passes to explain;"
            " expected a cell that TVM compiled"
        )
    if not device.is_processor(config["devices"][cell.device]):
        raise WorkflowError(
            f"{cell}: tensors are compared kernel by kernel on this machine's processor; expected a"
            f" cell of another device than {cell.device}"
        )
    return cell


def native_of(wildcards):
    """The native cell that a cell is compared with."""
    cell = explained(wildcards)
    native = References(CELLS).of_model(cell)
    if native:
        return native
    raise WorkflowError(
        f"{cell} has no native cell in this study to be compared with: add native to backends, and"
        f" the empty route from {cell.source} to {cell.source}"
    )


def explained_file(wildcards):
    """The model file that the cell's compilation imports."""
    explained(wildcards)
    return f"{STUDY}/{imported(wildcards).path}"


def explained_database(wildcards):
    """The tuning records that the cell's compilation takes, and their record."""
    explained(wildcards)
    return database({**wildcards, "level": wildcards.backend})


rule explain:
    input:
        unpack(explained_database),
        artifact=explained_file,
        record=lambda wildcards: f"{explained_file(wildcards)}.json",
        prediction=lambda wildcards: cell_path(explained(wildcards)),
        native=lambda wildcards: cell_path(native_of(wildcards)),
        images=lambda wildcards: f"{STUDY}/{grid.prepared_images(config, explained(wildcards))}",
        environment=lambda wildcards: manifest(grid.environment(config, explained(wildcards))),
        page="scripts/deltann/explain/page.html",
    output:
        page=f"{STUDY}/explain/{CELL}.html",
        facts=f"{STUDY}/explain/{CELL}.json",
    log:
        f"{STUDY}/logs/explain/{CELL}.log",
    retries: RETRIES
    resources:
        **asked("compile"),
        **on_device(),
    params:
        python=lambda wildcards: python(grid.environment(config, explained(wildcards))),
        cell=lambda wildcards: str(explained(wildcards)),
        framework=lambda wildcards: imported(wildcards).framework,
        passes=lambda wildcards: json.dumps(grid.pass_sets(config)[wildcards.backend]),
        device_target=lambda wildcards: device_target(wildcards.device),
        device_threads=lambda wildcards: config["devices"][wildcards.device].get("threads", 0),
        preprocessing=lambda wildcards: grid.to_json(
            grid.preprocessing(config, explained(wildcards))
        ),
        database=lambda wildcards: database_options(explained_database(wildcards)),
        limits=limits("compile"),
        code=code_digest("scripts/explain.py", "deltann.explain.attempt", "deltann.explain.locate"),
    message:
        "explain {params.cell}"
    shell:
        "{params.python:q} scripts/explain.py --cell {params.cell:q}"
        " --framework {params.framework:q} --passes {params.passes:q}"
        " --schedule {wildcards.schedule:q} --target {params.device_target:q} {params.database:q}"
        " --threads {params.device_threads} --preprocessing {params.preprocessing:q}"
        " --images {input.images:q} --prediction {input.prediction:q} --native {input.native:q}"
        " --model-file {input.artifact:q} --model-file-record {input.record:q}"
        " --environment {input.environment:q} {params.limits}"
        " --retries-left {resources.retries_left}"
        " --page {output.page:q} --facts {output.facts:q} > {log:q} 2>&1"
