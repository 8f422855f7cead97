# The study's config, held against its schema.
import sys

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

sys.path.insert(0, f"{workflow.basedir}/scripts")


from deltann.errors import StudyError
from deltann.study import schema_errors
from deltann.workflow import snakemake_internals as internals

try:
    internals.check_version()
except StudyError as error:
    raise WorkflowError(str(error)) from None

if not internals.config_is_given(workflow):  # one that is given replaces the default: it is a study

    configfile: "config/config.yaml"


try:
    validate(config, "../config/schemas/config.schema.yaml")
except WorkflowError as error:
    raise WorkflowError(schema_errors.explain(error)) from None


report: "../report/workflow.rst"
