"""What runs again after a change, from Snakemake's own list of jobs."""

import pytest

ANALYSIS = {"aggregate", "tables", "figures", "summary", "summary_page", "explorer"}
CONVERTED = "efficientnet_lite0/torch/onnx/torch_onnx"
COMPILED = f"{CONVERTED}/source/pillow/direct/tvm/rules/O0/cpu"
NATIVE = f"{CONVERTED}/source/pillow/none/runtime/runtime/native/cpu"
TVM_CELLS = 24
NATIVE_CELLS = 6


@pytest.fixture
def finished(workspace, study, tmp_path):
    """A finished study in a workspace that the test may edit."""
    space = workspace.copy(tmp_path / "edited", studies=True)
    assert space.jobs(study) == {}
    return space


def stages(jobs: dict[str, int]) -> set[str]:
    return set(jobs)


def test_nothing_to_do(finished, study):
    assert finished.jobs(study) == {}


def test_a_pin_in_the_tvm_environment(finished, study):
    pins = finished.path / "envs/tvm.txt"
    pins.write_text(pins.read_text() + "six==1.17.0\n")
    jobs = finished.jobs(study)
    assert stages(jobs) == {"environment", "compile", "infer"} | ANALYSIS
    assert jobs["environment"] == 1
    assert (jobs["compile"], jobs["infer"]) == (TVM_CELLS, TVM_CELLS)
    listed = finished.listed(study)
    assert ".envs/tvm/bin/python -s -E scripts/infer.py" in listed
    for other in ("onnx", "tensorflow", "tflite", "torch"):
        assert f".envs/{other}/bin/python" not in listed


def test_a_pin_in_a_converters_environment(finished, study):
    pins = finished.path / "envs/onnx2tf.txt"
    pins.write_text(pins.read_text() + "pip==26.0.1\n")
    jobs = finished.jobs(study)
    assert jobs["environment"] == 1
    assert jobs["convert"] == 3  # onnx2tf, and from it tf2onnx and tflite_converter
    assert jobs["infer"] == 2 * 5  # tensorflow and tflite, native and compiled


def test_a_comment_in_an_environment(finished, study):
    pins = finished.path / "envs/tvm.txt"
    pins.write_text("# a comment\n" + pins.read_text().replace("\n", "  # why\n", 1) + "\n\n")
    assert finished.jobs(study) == {}


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("cpu/schedules.py", "LANES = 16", "LANES = 8"),
        ("target_kinds/llvm.py", '"avx512f": Vectors(16, 34)', '"avx512f": Vectors(16, 33)'),
        ("passes/pack_layout/elementwise.py", '"relax.clip",', ""),
    ],
)
def test_a_constant_in_a_module(finished, study, module, old, new):
    finished.edit(f"scripts/deltann/tvm/{module}", old, new)
    jobs = finished.jobs(study)
    assert stages(jobs) == {"compile", "infer"} | ANALYSIS
    assert (jobs["compile"], jobs["infer"]) == (TVM_CELLS, TVM_CELLS)


def test_a_constant_in_a_converter(finished, study):
    finished.edit("scripts/deltann/converters/keras_onnx.py", "verbose=False", "verbose=None")
    jobs = finished.jobs(study)
    assert stages(jobs) == {"convert", "compile", "infer"} | ANALYSIS
    assert (jobs["convert"], jobs["compile"], jobs["infer"]) == (2, 8, 8)


def test_a_constant_in_a_runner(finished, study):
    finished.edit(
        "scripts/deltann/runners/onnx.py", "inter_op_num_threads = 1", "inter_op_num_threads = 2"
    )
    jobs = finished.jobs(study)
    assert stages(jobs) == {"infer"} | ANALYSIS
    assert jobs["infer"] == 1


def test_a_constant_in_a_script(finished, study):
    finished.edit(
        "scripts/infer.py", 'type=int, required=True, help="timed', 'type=float, help="timed'
    )
    jobs = finished.jobs(study)
    assert stages(jobs) == {"infer"} | ANALYSIS
    assert jobs["infer"] == TVM_CELLS + NATIVE_CELLS


def test_comments_docstrings_and_formatting(finished, study):
    modules = ("tvm/cpu/schedules.py", "execution/stage.py", "runners/onnx.py", "metrics/speed.py")
    for name in ("infer.py", *(f"deltann/{module}" for module in modules)):
        path = finished.path / "scripts" / name
        text = path.read_text()
        edited = text.replace('"""', '"""Another docstring. ', 1).replace("\n\n", "\n\n\n")
        path.write_text(edited + "\n\n# more\n")
    assert finished.jobs(study) == {}


def test_a_changed_limit(finished, study):
    finished.edit(str(study.name), "compile:\n    memory_mb: 8000", "compile:\n    memory_mb: 9000")
    jobs = finished.jobs(finished.path / study.name)
    assert stages(jobs) == {"compile", "infer", "save_config"} | ANALYSIS


def test_an_added_photograph(finished, study):
    photographs = finished.path / "photographs"
    first = next(photographs.glob("*.jpg"))
    (photographs / "another.jpg").write_bytes(first.read_bytes())
    jobs = finished.jobs(study)
    assert stages(jobs) == {"photographs", "prepare", "infer"} | ANALYSIS


def test_figures_again_run_no_inference(finished, study):
    name = "results/reduced/figures/latency.png"
    output = finished.run(study, "--forcerun", "figures", targets=(name,))
    assert "figures 1" in output and "infer" not in output
    assert (finished.path / name).stat().st_size > 1000


def test_what_a_snakemake_user_expects(finished, study):
    assert "nothing to be done" in finished.run(study).lower()
    summary = finished.run(study, "--summary")
    assert "results/reduced/study.nc" in summary
    finished.run(study, "--report", "results/reduced/report.html")
    report = (finished.path / "results/reduced/report.html").read_text()
    # a browser shows PDFs in the report's frame; markdown it saves
    assert "In short" in report and "data:application/pdf" in report
    assert "data:text/markdown" not in report


def test_a_damaged_model_file_is_named(finished, study):
    library = f"results/reduced/compiled/{CONVERTED}/direct/tvm/rules/O0/cpu.so"
    path = finished.path / library
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    cell = f"results/reduced/predictions/{COMPILED}.nc"
    (finished.path / cell).unlink()
    done = finished.snakemake(study, "--rerun-triggers", "code", targets=(cell,))
    assert done.returncode != 0
    log = finished.path / f"results/reduced/logs/infer/{COMPILED}.log"
    assert f"{library}: checksum mismatch with" in log.read_text()


def test_a_wrong_environment_is_named_with_its_repair(finished, study):
    manifest = finished.path / "results/environments/onnx.json"
    manifest.write_text(manifest.read_text().replace('"onnxruntime": "', '"onnxruntime": "0.'))
    cell = f"results/reduced/predictions/{NATIVE}.nc"
    (finished.path / cell).unlink()
    done = finished.snakemake(study, "--rerun-triggers", "code", targets=(cell,))
    assert done.returncode != 0
    log = finished.path / f"results/reduced/logs/infer/{NATIVE}.log"
    assert "is not the environment" in log.read_text()
    assert "--force results/environments/onnx.json" in log.read_text()
    assert "\nSome jobs failed: see above, and results/reduced/logs\n" in done.stdout
