"""Feed planted log events to the console's plugin, as Snakemake does: run by the driver's Python.

The events are JSON on stdin: each the fields of a log record, with `level` and `msg`. Arguments are
what is said by --quiet.
"""

import json
import logging
import sys

from snakemake.logging import LoggerManager, logger
from snakemake.settings.enums import Quietness
from snakemake.settings.types import OutputSettings
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

quiet = {Quietness.parse_choice(word) for word in sys.argv[1:]}
plugins = {"deltann": LogHandlerSettingsBase()}
manager = LoggerManager(logger, OutputSettings(log_handler_settings=plugins, quiet=quiet))
for fields in json.load(sys.stdin):
    level, message = fields.pop("level", "INFO"), fields.pop("msg", None)
    if "event" in fields:
        fields["event"] = LogEvent(fields["event"])
    logger.log(getattr(logging, level), message, extra=fields)
manager.stop()
