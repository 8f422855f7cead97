# The study dataset to its tables.
TABLES = f"{STUDY}/tables"


def table(name, category):
    """A table's path, marked for the report."""
    return report(f"{TABLES}/{name}.csv", caption=f"../report/{name}.rst", category=category)


rule tables:
    input:
        study=rules.aggregate.output,
        published=["published/optimization_tables.csv"],
        environment=manifest("analysis"),
    output:
        accuracy=table("accuracy", "Answers"),
        targets=table("targets", "Answers"),
        natives=table("natives", "Answers"),
        conversions=table("conversions", "Answers"),
        routes=table("routes", "Answers"),
        inputs=table("inputs", "Answers"),
        latency=table("latency", "Time"),
        speedups=table("speedups", "Time"),
        devices=table("devices", "Time"),
        frameworks=table("frameworks", "Time"),
        anova=table("anova", "Statistics"),
        published=table("published", "Published"),
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
