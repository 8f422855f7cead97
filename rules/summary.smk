# The study in a page.
rule summary:
    input:
        tables=[rules.tables.output[name] for name in ("accuracy", "conversions", "speedups")],
        study=rules.aggregate.output,
        images=expand(rules.prepare.output, model=config["models"]),
        environment=manifest("analysis"),
    output:
        report(f"{STUDY}/summary.md", caption="../report/summary.rst", category="Summary"),
    log:
        f"{STUDY}/logs/summary.log",
    params:
        python=python("analysis"),
        tables=TABLES,
        code=code_digest("scripts/summary.py"),
    message:
        "sum the study up"
    shell:
        "{params.python:q} scripts/summary.py --tables {params.tables:q} --study {input.study:q}"
        " --inputs {input.images:q} --environment {input.environment:q}"
        " --output {output:q} > {log:q} 2>&1"
