# The study dataset to its tables.
TABLES = f"{STUDY}/tables"


rule tables:
    input:
        study=rules.aggregate.output,
        environment=manifest("analysis"),
    output:
        accuracy=report(
            f"{TABLES}/accuracy.csv", caption="../report/accuracy.rst", category="Tables"
        ),
        targets=report(f"{TABLES}/targets.csv", caption="../report/targets.rst", category="Tables"),
        conversions=report(
            f"{TABLES}/conversions.csv", caption="../report/conversions.rst", category="Tables"
        ),
        latency=report(f"{TABLES}/latency.csv", caption="../report/latency.rst", category="Tables"),
        speedups=report(
            f"{TABLES}/speedups.csv", caption="../report/speedups.rst", category="Tables"
        ),
        speedups_markdown=f"{TABLES}/speedups.md",
    log:
        f"{STUDY}/logs/tables.log",
    params:
        python=python("analysis"),
        folder=TABLES,
        code=code_digest("scripts/tables.py"),
    message:
        "compute the tables"
    shell:
        "{params.python:q} scripts/tables.py --study {input.study:q}"
        " --environment {input.environment:q} --output-folder {params.folder:q} > {log:q} 2>&1"
