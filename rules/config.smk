# The study's config, held against its schema.
import sys

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version, validate

min_version("9.27")
sys.path.insert(0, f"{workflow.basedir}/scripts")


from deltann.study import schema_errors

if not workflow.overwrite_configfiles:  # one that is given replaces the default: it is a study

    configfile: "config/config.yaml"


try:
    validate(config, "../config/schemas/config.schema.yaml")
except WorkflowError as error:
    raise WorkflowError(schema_errors.explain(error)) from None


report: "../report/workflow.rst"
