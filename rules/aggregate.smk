# All cells' prediction files to the study dataset.
from deltann.provenance import files


localrules:
    cells,


PREDICTIONS = [cell_path(cell) for cell in CELLS]
# A command line can't hold ten thousand paths; a file can.
CELL_LIST = "".join(f"{path}\n" for path in PREDICTIONS)


rule cells:
    output:
        f"{STUDY}/cells.txt",
    params:
        paths=CELL_LIST,
    message:
        "list the study's cells"
    run:
        files.write_text(output[0], params.paths)


rule aggregate:
    input:
        # unnamed: of a named list Snakemake hashes all for each of its files
        PREDICTIONS,
        cells=rules.cells.output,
        environment=manifest("analysis"),
    output:
        study=DATASET,
        record=f"{DATASET}.json",
    log:
        f"{STUDY}/logs/aggregate.log",
    params:
        python=python("analysis"),
        cells=files.checksum_bytes(CELL_LIST.encode()),
        probe_tolerance=config["timing"]["probe_tolerance"],
        contention_tolerance=config["timing"]["contention_tolerance"],
        code=code_digest("scripts/aggregate.py"),
    message:
        "aggregate the study's cells"
    shell:
        "{params.python:q} scripts/aggregate.py --cells {input.cells:q}"
        " --cells-sha256 {params.cells}"
        " --environment {input.environment:q} --probe-tolerance {params.probe_tolerance}"
        " --contention-tolerance {params.contention_tolerance}"
        " --output {output.study:q} --record {output.record:q} > {log:q} 2>&1"
