# The study's config: read, checked against its schema, and filled with the schema's defaults.
import sys

sys.path.insert(0, f"{workflow.basedir}/scripts")


from deltann import interpreter
from deltann.study import schema, schema_errors
from deltann.workflow import snakemake_internals
from deltann.workflow.errors import raise_as_workflow_error
from deltann.workflow.run import check_working_directory

interpreter.clean_this_process()
raise_as_workflow_error(snakemake_internals.check_version)
raise_as_workflow_error(check_working_directory, workflow.basedir)
if not snakemake_internals.config_is_given(workflow):

    configfile: "config/config.yaml"


raise_as_workflow_error(schema_errors.check, config, schema.load())
schema.fill_defaults(config, schema.load())


report: "../report/workflow.rst"
