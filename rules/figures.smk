# Tables to figures; a figure draws the table of its name.
FIGURES = {
    "targets": "Answers",
    "natives": "Answers",
    "conversions": "Answers",
    "inputs": "Answers",
    "latency": "Time",
    "speedups": "Time",
    "devices": "Time",
    "frameworks": "Time",
    "backends": "Answers",
    "anova": "Statistics",
    "published": "Published",
}
FIGURE_FILES = [
    f"{STUDY}/figures/{figure}.{suffix}" for figure in FIGURES for suffix in ("pdf", "png", "csv")
]


rule figures:
    input:
        tables=rules.tables.output,
        environment=manifest("analysis"),
    output:
        pdf=f"{STUDY}/figures/{{figure}}.pdf",
        png=report(
            f"{STUDY}/figures/{{figure}}.png",
            caption="../report/figures.rst",
            category=lambda wildcards: FIGURES[wildcards.figure],
        ),
        data=f"{STUDY}/figures/{{figure}}.csv",
    log:
        f"{STUDY}/logs/figures/{{figure}}.log",
    wildcard_constraints:
        figure=grid.alternatives(list(FIGURES)),
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
