# The study summed up: in markdown, and in a page with pictures, which the report opens on.
from deltann.study import layout, model_sources
from deltann.workflow.code_digest import code_digest


rule summary:
    input:
        tables=TABLE_FILES.values(),
        tables_record=TABLES_RECORD,
        study=DATASET,
        study_record=DATASET_RECORD,
        images=PREPARED_IMAGES,
        environment=layout.manifest("analysis"),
    output:
        text=f"{STUDY}/{layout.SUMMARY}",
        record=f"{STUDY}/{layout.SUMMARY_RECORD}",
    log:
        f"{STUDY}/{layout.log('summary')}",
    benchmark:
        f"{STUDY}/{layout.benchmark('summary')}"
    params:
        python=layout.interpreter("analysis"),
        tables=f"{STUDY}/{layout.TABLES}",
        seeded=model_sources.seeded(config),
        code=code_digest("scripts/summary.py"),
    message:
        "Summing up the study"
    shell:
        "{params.python:q} scripts/summary.py --tables {params.tables:q}"
        " --tables-record {input.tables_record:q} --study {input.study:q}"
        " --study-record {input.study_record:q} --record {output.record:q}"
        " --inputs {input.images:q} --seeded {params.seeded:q} --environment {input.environment:q}"
        " --output {output.text:q} > {log:q} 2>&1"


rule summary_page:
    input:
        text=rules.summary.output.text,
        record=rules.summary.output.record,
        pictures=[path for path in FIGURE_FILES if path.endswith(".png")],
        environment=layout.manifest("analysis"),
        template=[
            f"scripts/deltann/summary/{name}" for name in ("page.html", "page.css", "body.html")
        ],
    output:
        page=f"{STUDY}/{layout.SUMMARY_PAGE}",
        part=f"{STUDY}/{layout.SUMMARY_PART}",
        record=f"{STUDY}/{layout.SUMMARY_PAGE_RECORD}",
    log:
        f"{STUDY}/{layout.log('summary_page')}",
    benchmark:
        f"{STUDY}/{layout.benchmark('summary_page')}"
    params:
        python=layout.interpreter("analysis"),
        code=code_digest("scripts/summary_page.py"),
    message:
        "Writing the page that sums up the study"
    shell:
        "{params.python:q} scripts/summary_page.py --summary {input.text:q}"
        " --summary-record {input.record:q} --pictures {input.pictures:q}"
        " --environment {input.environment:q} --output {output.page:q}"
        " --part {output.part:q} --record {output.record:q} > {log:q} 2>&1"
