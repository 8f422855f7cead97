"""What may repair an edge, in which order; and what a repair's page and a route say of it."""

from dataclasses import replace

import pytest
import yaml

from deltann import converters
from deltann.cell import Cell
from deltann.repair import candidates, outcomes, page, usage, verdict
from deltann.repair.candidates import Candidate, Conversion
from deltann.stages import repaired


def test_settings_worth_trying_are_settings():
    for converter, values in candidates.WORTH_TRYING.items():
        assert {*values} <= {*converters.settings(converter)}, converter
    for converter in converters.names():
        for candidate in candidates.of_edge(converter, {}):
            for way in candidate.conversions:
                converters.get(way.converter).check(**way.settings)


def test_cheap_candidates_come_first():
    found = list(candidates.of_edge("onnx2tf", {"simplify": True}))
    kinds = list(dict.fromkeys(item.kind for item in found))
    assert kinds == [candidates.SETTING, candidates.PREPASS, candidates.REWRITE, candidates.TOOL]
    assert found[0].conversions[0].settings == {"simplify": False}
    ends = [item.conversions[-1].converter for item in found if item.kind == candidates.TOOL]
    assert {converters.get(name).TARGET for name in ends} == {"tensorflow"}
    (decomposed,) = (
        item for item in candidates.of_edge("torch_onnx", {}) if item.kind == candidates.PREPASS
    )
    assert decomposed.text == "decomposition by torch.export, then torch_onnx"
    within = candidates.of_edge("onnx_float16", {})  # by other tools, the edge would be left out
    assert candidates.TOOL not in {item.kind for item in within}


def test_lines_for_a_config():
    preprocessing = {
        **{"resize": 256, "crop": [224, 224], "interpolation": "bicubic", "channels": "RGB"},
        **{"mean": [0.5] * 3, "std": [0.5] * 3, "classes": 1000, "background": 1},
    }
    text = usage.model("lite_repaired", "onnx", "a/it's: b.onnx", preprocessing, "NHWC")
    (model,) = yaml.safe_load(text)["models"]
    assert model["file"] == "a/it's: b.onnx" and model["input"]["layout"] == "NHWC"
    assert (model["classes"], model["background"], model["input"]["size"]) == (1000, 1, 224)
    assert usage.model("lite", "openvino", "a.tar", preprocessing, "NCHW") == ""
    setting = Candidate(candidates.SETTING, (Conversion("onnx2tf", {"simplify": False}),))
    ways = [("torch_onnx", Conversion("torch_onnx", {"opset": 18})), ("onnx2tf", setting)]
    given = yaml.safe_load(usage.route("torch", "tensorflow", ways))
    assert given["edges"]["onnx2tf_repaired"] == {"converter": "onnx2tf", "simplify": False}
    assert given["conversions"]["torch"]["tensorflow"] == [["torch_onnx", "onnx2tf_repaired"]]
    prepared = replace(setting, prepared=("onnxsim",))
    assert usage.route("torch", "tensorflow", [("onnx2tf", prepared)]) == ""


def test_words_for_an_outcome():
    right = {"better": True, "after": {"regressions": 0}}
    lost, worse = right | {"after": {"regressions": 1}}, right | {"better": False}
    for outcomes_, final, compiled, unjudged, word in [
        ([], None, True, False, outcomes.NOTHING),
        ([], None, True, True, outcomes.NOT_REPAIRED),
        (["accepted", "accepted"], right, True, False, outcomes.REPAIRED),
        (["accepted", "no better"], right, True, False, outcomes.IMPROVED),
        (["improved", "no better"], worse, True, False, outcomes.NOT_REPAIRED),
        (["accepted"], right, False, False, outcomes.IMPROVED),
        (["accepted"], lost, True, False, outcomes.NOT_REPAIRED),
        (["accepted"], None, True, True, outcomes.NOT_REPAIRED),
        (["no better"], right, True, False, outcomes.NOT_REPAIRED),
    ]:
        assert verdict.of_repairs(outcomes_, final, compiled, unjudged) == word


def test_compiled_answers_in_words():
    found = {"same": False, "before": False, "error": "", "difference": None}
    assert verdict._compiled("O4", found) == (
        "TVM at O4: other answers than the file in its own runtime (infinity)."
    )
    found |= {"same": True, "before": True, "difference": 0.001}
    assert verdict._compiled("O4", found) == (
        "TVM at O4: other answers than the file in its own runtime (0.001), as of the file before."
    )


def test_routes_of_a_model_without_a_conversion_and_of_an_edge_twice():
    cell = Cell.parse("m/tensorflow/tensorflow/unconverted/source/pillow/tf2onnx/tvm/rules/O4/cpu")
    given = yaml.safe_load(usage.repaired(cell, "onnx"))
    assert given["conversions"]["tensorflow"]["onnx"] == [["tf2onnx"], ["tf2onnx", "repaired"]]
    ways = [
        (name, Candidate(candidates.SETTING, (Conversion("onnx2tf", {"simplify": value}),)))
        for name, value in [("onnx2tf", False), ("again", True), ("third", False)]
    ]
    given = yaml.safe_load(usage.route("onnx", "tensorflow", ways))
    assert given["conversions"]["onnx"]["tensorflow"] == [
        ["onnx2tf_repaired", "onnx2tf_repaired_2", "onnx2tf_repaired"]
    ]
    assert [item["simplify"] for item in given["edges"].values()] == [False, True]


def test_the_page_escapes_what_tools_say():
    judged = {"images": 3, "labels": 1, "difference": None, "regressions": 0}
    row = {"kind": "setting", "candidate": "a", "outcome": "failed", "why": "<b>", "seconds": 1}
    row |= {"search": None, "held_out": None, "all": None}
    tried = {"edge": "e", "outcome": "no better", "kind": "", "candidate": "", "edits": []}
    tried |= {"before": judged, "after": judged, "localisation": "x < y", "candidates": [row]}
    edge = {"edge": "e", "converter": "c", "lowers_precision": False, "why": "", **judged}
    facts = {
        **{"cell": "a/b", "cell_name": "n", "outcome": "not repaired", "edges": [edge]},
        **{"repairs": [tried], "images": {"search": ["1"], "held_out": ["2"], "added": ""}},
        **{"compiled": {}, "not_compiled": "", "changes": [], "changes_error": ""},
        **{"unjudged": ["<first>"]},
        **{
            "repaired_config": "",
            "route_config": "",
            "model_config": "",
            "broken": "",
            "final": None,
        },
    }
    facts["verdict"] = verdict.sentences(facts)
    text = page.page(facts)
    assert "&lt;b&gt;" in text and "<b>" not in text and "x &lt; y" in text
    assert facts["verdict"][0] == "Not repaired."
    assert "<first> doesn't run" in facts["verdict"][1] and "&lt;first&gt;" in text
    assert "none of 1 candidates" in facts["verdict"][2] and "infinity" in facts["verdict"][2]


def test_a_route_without_a_better_file_fails_by_what_was_tried(tmp_path):
    own = tmp_path / "own.onnx"
    own.write_bytes(b"a file")
    given = {"framework": "onnx", "repaired": "", "before": {}, "model_file": str(own)}
    with pytest.raises(repaired.NotRepaired, match="none of 14 candidates"):
        repaired.work(
            outcome=outcomes.NOT_REPAIRED,
            refused="Not repaired. e: none of 14 candidates gives better answers",
            output=str(tmp_path / "new.onnx"),
            **given,
        )
    assert not (tmp_path / "new.onnx").exists()
