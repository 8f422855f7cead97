# The study's config: read, checked against its schema, and filled with the schema's defaults.
import sys

from snakemake.exceptions import WorkflowError

sys.path.insert(0, f"{workflow.basedir}/scripts")


from deltann.errors import StudyError
from deltann.study import schema, schema_errors
from deltann.workflow import snakemake_internals as internals

try:
    internals.check_version()
except StudyError as error:
    raise WorkflowError(str(error)) from None

if not internals.config_is_given(workflow):  # one that is given replaces the default: it is a study

    configfile: "config/config.yaml"


try:
    schema_errors.check(config, schema.load())
except StudyError as error:
    raise WorkflowError(str(error)) from None
schema.fill_defaults(config, schema.load())


report: "../report/workflow.rst"
