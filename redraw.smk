# What is made from a study's dataset, and nothing else: for a study that was copied here without
# its images, models and frameworks. `make redraw` runs it.
include: "rules/config.smk"
include: "rules/common.smk"
include: "rules/environment.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/summary.smk"
include: "rules/explorer.smk"


rule all:
    default_target: True
    input:
        FIGURE_FILES,
        rules.summary.output,
        rules.summary_page.output,
        rules.explorer.output,
