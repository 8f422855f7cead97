"""Locate the operator at which a converted model goes wrong: see `deltann.localise.localise`."""
