# The study summed up in a page.
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
        # The report shows HTML; it only offers markdown for download.
        page=report(
            f"{STUDY}/{layout.SUMMARY_PAGE}",
            caption="../report/summary.rst",
            category="Summary",
        ),
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
        " --output {output.text:q} --page {output.page:q} > {log:q} 2>&1"
