# The study's config: laid over the defaults, and checked against its schema.
import sys
from functools import partial

sys.path.insert(0, f"{workflow.basedir}/scripts")


from deltann import interpreter
from deltann.study import overlay, schema, schema_errors
from deltann.workflow import snakemake_internals
from deltann.workflow.errors import raise_as_workflow_error
from deltann.workflow.run import check_working_directory

interpreter.clean_this_process()
raise_as_workflow_error(snakemake_internals.check_version)
raise_as_workflow_error(check_working_directory, workflow.basedir)
LAYERS = snakemake_internals.config_layers(workflow)
DEFAULTS = {} if snakemake_internals.replaces_defaults(workflow) else overlay.load_defaults()
check_config = partial(raise_as_workflow_error, overlay.with_origin, LAYERS, DEFAULTS)

# Not by `configfile:`, which merges all mappings: a study would have the default's devices too.
laid = overlay.lay(LAYERS, DEFAULTS)
config.clear()
config.update(laid)
check_config(schema_errors.check, config, schema.load())
overlay.trim(config, DEFAULTS)
schema.fill_defaults(config, schema.load())


report: "../report/workflow.rst"
