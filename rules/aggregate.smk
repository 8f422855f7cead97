# All prediction files to the study dataset.

from deltann.provenance import files
from deltann.study import layout, resolved
from deltann.workflow.code_digest import code_digest
from deltann.workflow.run import RESOLVED_CONFIG


localrules:
    list_cells,


# A command line can't hold ten thousand paths, a file can.
CELL_LIST = resolved.cells_text(config)
CELL_LIST_SHA256 = files.checksum_bytes(CELL_LIST.encode())


rule list_cells:
    output:
        f"{STUDY}/{layout.CELLS}",
    log:
        f"{STUDY}/{layout.log('list_cells')}",
    benchmark:
        f"{STUDY}/{layout.benchmark('list_cells')}"
    params:
        config=str(RESOLVED_CONFIG),
        sha256=CELL_LIST_SHA256,
    message:
        "Listing the study's cells"
    shell:
        "{DRIVER_PYTHON:q} scripts/list_cells.py --config {params.config:q}"
        " --sha256 {params.sha256} --output {output:q} > {log:q} 2>&1"


rule aggregate:
    input:
        # Not named: for each file of a named list Snakemake would hash the whole list.
        CELL_LIST.splitlines(),
        cells=rules.list_cells.output,
        class_names=rules.class_names.output.names,
        class_names_record=rules.class_names.output.record,
        environment=layout.manifest("analysis"),
    output:
        study=DATASET,
        record=DATASET_RECORD,
    log:
        f"{STUDY}/{layout.log('aggregate')}",
    benchmark:
        f"{STUDY}/{layout.benchmark('aggregate')}"
    params:
        python=layout.interpreter("analysis"),
        cells_sha256=CELL_LIST_SHA256,
        probe_tolerance=config["timing"]["probe_tolerance"],
        contention_tolerance=config["timing"]["contention_tolerance"],
        code=code_digest("scripts/aggregate.py"),
    message:
        "Aggregating the prediction files"
    shell:
        "{params.python:q} scripts/aggregate.py --cells {input.cells:q}"
        " --cells-sha256 {params.cells_sha256} --class-names {input.class_names:q}"
        " --class-names-record {input.class_names_record:q}"
        " --environment {input.environment:q} --probe-tolerance {params.probe_tolerance}"
        " --contention-tolerance {params.contention_tolerance}"
        " --output {output.study:q} --record {output.record:q} > {log:q} 2>&1"
