# The resolved config, kept with the study: enough to check the study and to draw it again elsewhere.

from deltann.provenance import files
from deltann.study import layout, overlay, resolved
from deltann.workflow.code_digest import code_digest
from deltann.workflow.run import RESOLVED_CONFIG

if not IN_JOB:
    logger.info("\n".join(overlay.lines(config, LAYERS, DEFAULTS)))


localrules:
    save_config,


rule save_config:
    input:
        cells=rules.list_cells.output,
    output:
        config=f"{STUDY}/{layout.CONFIG}",
        record=f"{STUDY}/{layout.GRID}",
    log:
        f"{STUDY}/{layout.log('save_config')}",
    benchmark:
        f"{STUDY}/{layout.benchmark('save_config')}"
    params:
        config=str(RESOLVED_CONFIG),
        sha256=files.checksum_bytes(resolved.config_text(config).encode()),
        expected=[
            path.removeprefix(f"{STUDY}/")
            for path in [
                *rules.aggregate.output,
                *rules.tables.output,
                *FIGURE_FILES,
                *rules.summary.output,
                *rules.summary_page.output,
                *rules.explorer.output,
            ]
        ],
        code=code_digest("scripts/save_config.py"),
    message:
        "Saving the study's config"
    shell:
        "{DRIVER_PYTHON:q} scripts/save_config.py --config {params.config:q}"
        " --sha256 {params.sha256} --cells {input.cells:q} --expected {params.expected:q}"
        " --output {output.config:q} --record {output.record:q} > {log:q} 2>&1"
