# The study in a page.
rule summary:
    input:
        tables=[rules.tables.output[name] for name in TABLE_CATEGORIES],
        study=rules.aggregate.output,
        images=PREPARED,
        environment=manifest("analysis"),
    output:
        text=f"{STUDY}/summary.md",
        # the report shows HTML, and offers markdown for download
        page=report(f"{STUDY}/summary.html", caption="../report/summary.rst", category="Summary"),
    log:
        f"{STUDY}/logs/summary.log",
    params:
        python=python("analysis"),
        tables=TABLES,
        seeded=grid.seeded(config),
        code=code_digest("scripts/summary.py"),
    message:
        "sum the study up"
    shell:
        "{params.python:q} scripts/summary.py --tables {params.tables:q} --study {input.study:q}"
        " --inputs {input.images:q} --seeded {params.seeded:q} --environment {input.environment:q}"
        " --output {output.text:q} --page {output.page:q} > {log:q} 2>&1"
