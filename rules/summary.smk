# The study in a page.
rule summary:
    input:
        tables=TABLE_FILES.values(),
        tables_record=TABLES_RECORD,
        study=DATASET,
        study_record=f"{DATASET}.json",
        images=PREPARED,
        environment=manifest("analysis"),
    output:
        text=f"{STUDY}/summary.md",
        # the report shows HTML, and offers markdown for download
        page=report(f"{STUDY}/summary.html", caption="../report/summary.rst", category="Summary"),
        record=f"{STUDY}/summary.json",
    log:
        f"{STUDY}/logs/summary.log",
    params:
        python=python("analysis"),
        tables=TABLES,
        seeded=model_sources.seeded(config),
        code=code_digest("scripts/summary.py"),
    message:
        "sum the study up"
    shell:
        "{params.python:q} scripts/summary.py --tables {params.tables:q}"
        " --tables-record {input.tables_record:q} --study {input.study:q}"
        " --study-record {input.study_record:q} --record {output.record:q}"
        " --inputs {input.images:q} --seeded {params.seeded:q} --environment {input.environment:q}"
        " --output {output.text:q} --page {output.page:q} > {log:q} 2>&1"
