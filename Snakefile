import sys

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version, validate

min_version("9.27")
sys.path.insert(0, f"{workflow.basedir}/scripts")


from deltann import schema

if not workflow.overwrite_configfiles:  # one that is given replaces the default: it is a study

    configfile: "config/config.yaml"


try:
    validate(config, "config/schemas/config.schema.yaml")
except WorkflowError as error:
    raise WorkflowError(schema.explain(error)) from None


report: "report/workflow.rst"


include: "rules/common.smk"
include: "rules/environment.smk"
include: "rules/prepare.smk"
include: "rules/export.smk"
include: "rules/convert.smk"


if TUNED in grid.schedules(config):  # a study without needs no budget and no limit for it

    include: "rules/tune.smk"


include: "rules/compile.smk"
include: "rules/infer.smk"
include: "rules/aggregate.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/summary.smk"
include: "rules/gallery.smk"
include: "rules/explain.smk"


rule all:
    default_target: True
    input:
        rules.aggregate.output,
        FIGURE_FILES,
        rules.summary.output,
        rules.gallery.output,
