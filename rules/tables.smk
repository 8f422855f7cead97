# The study dataset to its tables.
TABLES = f"{STUDY}/tables"
TABLES_RECORD = f"{TABLES}/record.json"
# Table: its category in the report. Each is a module in scripts/deltann/tables/, and has its
# caption in report/.
TABLE_CATEGORIES = {
    "accuracy": "Answers",
    "targets": "Answers",
    "natives": "Answers",
    "conversions": "Answers",
    "routes": "Answers",
    "compilers": "Answers",
    "compilations": "Time",
    "passes": "Time",
    "inputs": "Answers",
    "latency": "Time",
    "speedups": "Time",
    "devices": "Time",
    "frameworks": "Time",
    "anova": "Tests",
    "published": "Published",
}
PUBLISHED = [
    "published/optimization_tables.csv",
    "published/pass_ablation_tables.csv",
]


def reported(name):
    """A table, with its caption and category in the report."""
    return report(
        f"{TABLES}/{name}.csv",
        caption=f"../report/{name}.rst",
        category=TABLE_CATEGORIES[name],
        labels={"table": name},
    )


rule tables:
    input:
        study=DATASET,
        record=f"{DATASET}.json",
        published=PUBLISHED,
        environment=manifest("analysis"),
    output:
        **{name: reported(name) for name in TABLE_CATEGORIES},
        speedups_markdown=f"{TABLES}/speedups.md",
        passes_markdown=f"{TABLES}/passes.md",
        record=TABLES_RECORD,
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
        " --study-record {input.record:q} --record {output.record:q}"
        " --environment {input.environment:q} --output-folder {params.folder:q} > {log:q} 2>&1"
