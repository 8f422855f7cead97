"""Plant faults in the converted files of one format: all of them in one process.

Run in the environment of the format: `planting.py JOB.json`, see `Job`.
"""

import json
import shutil
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import cases  # noqa: E402
import numpy as np  # noqa: E402
import onnx_files  # noqa: E402
from conversions import CONVERSIONS, file_of, route  # noqa: E402
from jobs import Job  # noqa: E402
from mutations import BENIGN, Graph, everything  # noqa: E402
from places import Loaded, Place, at, names_of, truth_of  # noqa: E402

from deltann import editors, tracers  # noqa: E402  the folder above first
from deltann.edits import Impossible  # noqa: E402

# A conversion that is further than this from float64, as a share of the largest logit, is wrong.
WRONG = 1e-3
# Edits that may fail before an operator of mutation is given up for a format.
TRIES = 12
SEED = "deltann-1"


class Planter:
    """Plants a job's cases."""

    def __init__(self, job: Job) -> None:
        self.job, self.corpus = job, Path(job.corpus)
        self.tracer = tracers.get(job.framework)
        self.made, self.good = 0, list[Place]()
        self.images = np.load(self.corpus / "models" / "right.npy")
        self.left_out = cases.LeftOut(self.corpus / "left_out" / f"{job.framework}-{job.part}.json")

    def load(self, model: str, conversion: str) -> Loaded:
        """Read a clean file, and run it on all images.

        Raises:
            Exception: the foreign tool's own.
        """
        path = file_of(self.corpus, model, conversion)
        with self.tracer.Tracer(path) as traced:
            operators = traced.operators()
            tensors = [name for item in operators for name in item.outputs]
            first = cases.shaped(self.images[:1], traced.input_shape)
            found = traced.run(first, tensors)
            shapes = {name: value.shape for name, value in found.items()}
            shapes[traced.input] = tuple(traced.input_shape)
            layout = self.tracer.LAYOUT
            graph = Graph(operators, traced.input, traced.output, shapes, layout)
            answers = cases.answers(traced, self.images)
        exact = np.load(self.corpus / "models" / f"{model}.npy")
        return Loaded(model, conversion, path, graph, answers, exact)

    def run(self) -> None:
        """Make what isn't there yet: clean cases, single faults, benign changes, double faults."""
        files = []
        for model in self.job.models:
            for conversion in dict.fromkeys([*self.job.conversions, *self.job.clean]):
                if not file_of(self.corpus, model, conversion).exists():
                    continue
                try:
                    loaded = self.load(model, conversion)
                except Exception as error:
                    self.left_out.add("clean", f"{model} {conversion}", error)
                    continue
                wrong = cases.apart(loaded.answers, loaded.exact) > WRONG
                if conversion in self.job.clean:
                    self.write(loaded, [], "real" if wrong else "clean")
                if conversion in self.job.conversions and not wrong:
                    files.append(loaded)
        names = list(everything())
        if self.job.most is not None:  # not those of the first families only
            Random(SEED).shuffle(names)
        for name in names:
            family, finder = everything()[name]
            if self.job.only and name not in self.job.only:
                continue
            places = [
                Place(name, family, item, number, mutation)
                for item in files
                for number, mutation in enumerate(finder(item.graph))
            ]
            count = self.job.benign if family == BENIGN else self.job.each
            self.plant(places, count, Random(f"{SEED} {self.job.framework} {name}"))
        self.plant_doubles()

    def plant(self, places: list[Place], count: int, choose: Random) -> None:
        """Make so many cases of one operator of mutation, spread over models and depths."""
        choose.shuffle(places)
        used: Counter[str] = Counter()
        made = failed = 0
        while places and made < count and failed < TRIES:
            if self.made == self.job.most:
                return
            place = min(places, key=lambda item: (used[item.file.model], used[item.depth]))
            places.remove(place)
            kind = "benign" if place.family == BENIGN else "fault"
            if self.write(place.file, [place], kind):
                made += 1
                if kind == "fault" and self.matters(place):
                    self.good.append(place)
                self.made += kind == "fault"
                used.update([place.file.model, place.depth])
            else:
                failed += 1

    def plant_doubles(self) -> None:
        """Make cases of two faults at different depths of one file, each of which matters."""
        choose, made = Random(f"{SEED} {self.job.framework} doubles"), 0
        good = [place for place in self.good if place.mutation.edits]
        for _ in range(12 * self.job.doubles if len(good) > 1 else 0):
            if made >= self.job.doubles:
                return
            one = choose.choice(good)
            others = [
                place
                for place in good
                if place.file is one.file and {place.depth, one.depth} >= {"first", "last"}
            ]
            if others:
                pair = sorted([one, choose.choice(others)], key=at)
                made += self.write(one.file, pair, "double")

    def name(self, key: str) -> str:
        """A case's name; some parts have cases of their own of files that others have too."""
        own = "" if self.job.part in ("development", "held-out") else f" {self.job.part}"
        return cases.scrambled(f"{SEED} {self.job.framework} {key}{own}")

    def matters(self, place: Place) -> bool:
        """Whether a fault that was made changes the answers beyond the floor."""
        name = self.name(place.key)
        truth = json.loads((self.corpus / "truth" / f"{name}.json").read_text("utf-8"))
        return truth["change"] > truth["floor"]

    def write(self, file: Loaded, places: list[Place], kind: str) -> bool:
        """Make one case; False if the format or the tool refuses the change."""
        key = " + ".join(place.key for place in places) or f"{file.model} {file.conversion} {kind}"
        name = self.name(key)
        if (self.corpus / "truth" / f"{name}.json").exists():
            return True
        if key in self.left_out:
            return False
        folder = self.corpus / "cases" / name
        folder.mkdir(parents=True, exist_ok=True)
        output = folder / f"converted{''.join(file.path.suffixes[-2:])}"
        # stays if the tool ends this process
        self.left_out.add(names_of(places) or kind, key, RuntimeError("the process ended"))
        try:
            truth = self.change(file, places, output, name)
        except Exception as error:  # Impossible, or the changed file doesn't run
            self.left_out.add(names_of(places) or kind, key, error)
            shutil.rmtree(folder)
            return False
        self.left_out.remove(key)
        files = self.files(file, output)
        special = next((place.mutation.special for place in places), "")
        moved = special if special in ("no_antialias", "shifted") else "right"
        case = {"id": name, "part": self.job.part, "framework": self.job.framework}
        case |= {"files": files, "images": "models/right.npy"}
        case |= {"converted_images": f"models/{moved}.npy"}
        cases.write_json(folder / "case.json", case)
        truth = case | {"kind": kind, "model": file.model, "conversion": file.conversion} | truth
        truth |= {"stage": len(route(file.conversion)) - 1, "key": key}
        cases.write_json(self.corpus / "truth" / f"{name}.json", truth)
        return True

    def files(self, file: Loaded, output: Path) -> list[dict[str, str]]:
        """The files of a case: to the changed one, and those that are converted from it later."""
        paths = {item: file_of(self.corpus, file.model, item) for item in route(file.conversion)}
        paths[file.conversion] = output
        for item in self.job.then.get(file.conversion, []):
            suffix = "".join(file_of(self.corpus, file.model, item).suffixes[-2:])
            paths[item] = output.with_name(f"{item}{suffix}")
        return [
            {
                "framework": CONVERSIONS[item].framework if item in CONVERSIONS else "torch",
                "conversion": item,
                "path": str(path.relative_to(self.corpus)),
            }
            for item, path in paths.items()
        ]

    def change(self, file: Loaded, places: list[Place], output: Path, name: str) -> dict[str, Any]:
        """Write the changed file, run it, and say what is true of it.

        Raises:
            Exception: the editor's `Impossible`, or the tool's own.
        """
        edits = [edit for place in places for edit in place.mutation.edits]
        special = next((place.mutation.special for place in places), "")
        if edits:
            editors.get(self.job.framework).apply(file.path, edits, output)
        else:
            shutil.copyfile(file.path, output)
        seen = self.images
        if special in ("no_antialias", "shifted"):
            seen = np.load(self.corpus / "models" / f"{special}.npy")
        elif special:
            self.change_onnx(file, places[0], output, special)
        with self.tracer.Tracer(output) as traced:
            before = traced.operators()
        if self.job.framework == "onnx":
            onnx_files.scramble(output, name)
        with self.tracer.Tracer(output) as traced:
            after = traced.operators()
            given = cases.answers(traced, seen)
        names = {old.name: new.name for old, new in zip(before, after, strict=True)}
        same = cases.matched(file.graph.operators, before)
        own = self.own_tensors(file, places, output, {a: names[b] for a, b in same.items()})
        truth: dict[str, Any] = cases.classify(file.exact, file.answers, given, own)
        new = [names[item.name] for item in before if item.name not in {*same.values()}]
        found = [truth_of(place, same, names, new, len(places) == 1) for place in places]
        return truth | {"faults": found, "operators": len(after)}

    def change_onnx(self, file: Loaded, place: Place, output: Path, special: str) -> None:
        """Make a change that only ONNX files have here.

        Raises:
            Impossible: it is a file of another format.
        """
        if self.job.framework != "onnx":
            raise Impossible(f"{special} is only made in ONNX files")
        if special == "reordered":
            onnx_files.reorder(output, place.key)
        else:
            middle = file.graph.operators[len(file.graph.operators) // 2].outputs[0]
            onnx_files.add_output(output, middle, file.graph.shapes[middle])

    def own_tensors(
        self, file: Loaded, places: list[Place], output: Path, names: dict[str, str]
    ) -> float:
        """How far the outputs of the changed operators are from those of the clean file."""
        changed = {name for place in places for name in place.mutation.operators}
        clean = [item for item in file.graph.operators if item.name in changed & names.keys()]
        if not clean or places[0].family == BENIGN:
            return 0.0
        with self.tracer.Tracer(output) as traced, self.tracer.Tracer(file.path) as unchanged:
            outputs = {item.name: item.outputs[0] for item in traced.operators()}
            pairs = [(item.outputs[0], outputs[names[item.name]]) for item in clean]
            image = cases.shaped(self.images[:1], traced.input_shape)
            ours = traced.run(image, [pair[1] for pair in pairs])
            theirs = unchanged.run(image, [pair[0] for pair in pairs])
        return max(cases.apart(ours[new], theirs[old]) for old, new in pairs)


if __name__ == "__main__":
    Planter(Job(**json.loads(Path(sys.argv[1]).read_text("utf-8")))).run()
