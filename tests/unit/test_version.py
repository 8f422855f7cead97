"""The version is the same wherever it is written."""

import re

import yaml

from helpers.workspace import ROOT


def test_the_changelog_begins_with_the_version_that_is_cited():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    newest = re.search(r"^## (?P<version>\S+) \((?P<date>\S+)\)$", changes, re.MULTILINE)
    assert newest["version"] == cited["version"]
    assert newest["date"] == cited["date-released"]
