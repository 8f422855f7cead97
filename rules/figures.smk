# Tables to figures; a figure draws the table of its name.
FIGURES = ["targets", "conversions", "latency", "speedups"]
FIGURE_FILES = [
    f"{STUDY}/figures/{figure}.{suffix}" for figure in FIGURES for suffix in ("pdf", "png", "csv")
]


rule figures:
    input:
        table=f"{TABLES}/{{figure}}.csv",
        environment=manifest("analysis"),
    output:
        pdf=f"{STUDY}/figures/{{figure}}.pdf",
        png=report(
            f"{STUDY}/figures/{{figure}}.png",
            caption="../report/figures.rst",
            category="Figures",
        ),
        data=f"{STUDY}/figures/{{figure}}.csv",
    log:
        f"{STUDY}/logs/figures/{{figure}}.log",
    wildcard_constraints:
        figure=grid.alternatives(FIGURES),
    params:
        python=python("analysis"),
        tables=TABLES,
        stem=lambda wildcards: f"{STUDY}/figures/{wildcards.figure}",
        code=lambda wildcards: code_digest(
            "scripts/figures.py", f"deltann.figures.{wildcards.figure}"
        ),
    message:
        "draw the figure {wildcards.figure}"
    shell:
        "{params.python:q} scripts/figures.py --figure {wildcards.figure:q}"
        " --tables {params.tables:q} --environment {input.environment:q}"
        " --output-stem {params.stem:q} > {log:q} 2>&1"
