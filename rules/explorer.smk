# A page to explore the study in: every cell, plots, and the images on which cells disagree. It isn't
# reported: Snakemake's report embeds HTML as a data URI, which browsers limit to 2 MB.
from pathlib import Path

from deltann.study import layout
from deltann.workflow.code_digest import code_digest


rule explorer:
    input:
        study=DATASET,
        record=DATASET_RECORD,
        tables=[TABLE_FILES[name] for name in ("precision", "pareto")],
        tables_record=TABLES_RECORD,
        images=PREPARED_IMAGES,
        page=sorted(
            str(path)
            for path in Path("scripts/deltann/explorer").rglob("*")
            if path.suffix in (".html", ".css", ".js", ".json", ".txt")
        ),
        environment=layout.manifest("analysis"),
    output:
        page=f"{STUDY}/{layout.EXPLORER}",
        record=f"{STUDY}/{layout.EXPLORER_RECORD}",
    log:
        f"{STUDY}/{layout.log('explorer')}",
    benchmark:
        f"{STUDY}/{layout.benchmark('explorer')}"
    params:
        python=layout.interpreter("analysis"),
        tables=f"{STUDY}/{layout.TABLES}",
        folder=STUDY,
        code=code_digest("scripts/explorer.py"),
    message:
        "Collecting the cells and the images on which they disagree"
    shell:
        "{params.python:q} scripts/explorer.py --study {input.study:q}"
        " --study-record {input.record:q} --tables {params.tables:q}"
        " --tables-record {input.tables_record:q} --inputs {input.images:q}"
        " --folder {params.folder:q}"
        " --environment {input.environment:q}"
        " --output {output.page:q} --record {output.record:q} > {log:q} 2>&1"
