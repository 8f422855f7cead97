# The study dataset to its tables: those of the modules in scripts/deltann/tables/.
from deltann import registry
from deltann.study import conditions, layout
from deltann.workflow import captions
from deltann.workflow.code_digest import code_digest

TABLES_RECORD = f"{STUDY}/{layout.TABLES_RECORD}"
TABLE_FILES = {name: f"{STUDY}/{layout.table(name)}" for name in registry.tables()}
FILLED_TABLES = raise_as_workflow_error(conditions.tables, config, CELLS)


def reported(table):
    """A table's file, which the report lists with its title and caption unless it stays empty."""
    if table.name not in FILLED_TABLES:
        return TABLE_FILES[table.name]
    return report(
        TABLE_FILES[table.name],
        caption=captions.path(f"{registry.TABLES}/{table.name}"),
        category=table.category,
        # If one reported file has no labels, the report lists all by their paths. With two labels
        # it may make a switch of one of them.
        labels={"result": f"Table: {table.title}"},
    )


rule tables:
    input:
        study=DATASET,
        record=DATASET_RECORD,
        published=[
            "published/optimization_tables.csv",
            "published/pass_ablation_tables.csv",
        ],
        environment=layout.manifest("analysis"),
    output:
        **{name: reported(table) for name, table in registry.tables().items()},
        **{
            f"{name}_markdown": f"{STUDY}/{layout.table(name, '.md')}"
            for name, table in registry.tables().items()
            if table.markdown
        },
        record=TABLES_RECORD,
    log:
        f"{STUDY}/{layout.log('tables')}",
    benchmark:
        f"{STUDY}/{layout.benchmark('tables')}"
    params:
        python=layout.interpreter("analysis"),
        folder=f"{STUDY}/{layout.TABLES}",
        code=code_digest(
            "scripts/tables.py", *(table.module for table in registry.tables().values())
        ),
    message:
        "Computing the tables"
    shell:
        "{params.python:q} scripts/tables.py --study {input.study:q}"
        " --study-record {input.record:q} --record {output.record:q}"
        " --environment {input.environment:q} --output-folder {params.folder:q} > {log:q} 2>&1"
