# The study dataset to its tables: those of the modules in scripts/deltann/tables/.
from deltann import registry

TABLES = f"{STUDY}/tables"
TABLES_RECORD = f"{TABLES}/record.json"
TABLE_FILES = {name: f"{TABLES}/{name}.csv" for name in registry.tables()}
MARKDOWN_FILES = {
    f"{name}_markdown": f"{TABLES}/{name}.md"
    for name, table in registry.tables().items()
    if table.markdown
}
PUBLISHED = [
    "published/optimization_tables.csv",
    "published/pass_ablation_tables.csv",
]


def caption_file(name, text):
    """The path of a file with a caption: `report` takes no text. It is written anew by each run."""
    path = Path(".snakemake/captions").resolve() / f"{name}.rst"
    if workflow.is_main_process:
        files.write_text(path, text)
    return path


def reported(table):
    """A table, with its caption and category in the report."""
    return report(
        TABLE_FILES[table.name],
        caption=caption_file(f"tables/{table.name}", table.caption),
        category=table.category,
        labels={"table": table.name},
    )


rule tables:
    input:
        study=DATASET,
        record=f"{DATASET}.json",
        published=PUBLISHED,
        environment=manifest("analysis"),
    output:
        **{name: reported(table) for name, table in registry.tables().items()},
        **MARKDOWN_FILES,
        record=TABLES_RECORD,
    log:
        f"{STUDY}/logs/tables.log",
    params:
        python=python("analysis"),
        folder=TABLES,
        code=code_digest(
            "scripts/tables.py", *(table.module for table in registry.tables().values())
        ),
    message:
        "compute the tables"
    shell:
        "{params.python:q} scripts/tables.py --study {input.study:q}"
        " --study-record {input.record:q} --record {output.record:q}"
        " --environment {input.environment:q} --output-folder {params.folder:q} > {log:q} 2>&1"
