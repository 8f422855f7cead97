"""Judge all answers: a matrix of right, wrong and refused, its figure, and a page in words."""

import argparse
import json
from pathlib import Path

from deltann.execution import cli, environment
from deltann.provenance import files, records


def main(options: argparse.Namespace) -> None:
    """Judge, count, draw and write."""
    digest = environment.check(options.environment)
    from deltann.figures import operators as figure
    from deltann.figures import output, style
    from deltann.operators import matrix, words

    ways = [matrix.Way(**entry) for entry in options.ways]
    references = {source: options.folder / path for source, path in options.references.items()}
    table = matrix.judged(ways, references, options.folder)
    counts = matrix.counts(table)
    outputs = [options.output, options.counts, options.summary, options.pdf, options.png]
    files.write_text(options.output, table.to_csv(index=False, float_format="%.6g"))
    files.write_text(options.counts, counts.to_csv(index=False))
    files.write_text(options.summary, words.summary(table))
    style.use()
    with files.atomic(options.pdf) as pdf_part, files.atomic(options.png) as png_part:
        output.save(figure.draw(counts), pdf_part, png_part)
    read = [*references.values(), *(options.folder / path for path in matrix.answer_files(ways))]
    inputs = {path: records.check(path, Path(f"{path}.json")) for path in read}
    details = table["status"].value_counts().to_dict()
    records.write(options.record, "operator_matrix", outputs, inputs, digest, details=details)
    print(json.dumps(details))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="the study's")
    parser.add_argument("--ways", type=json.loads, required=True, help="all ways, JSON")
    parser.add_argument(
        "--references", type=json.loads, required=True, help="each source's bundle, JSON"
    )
    parser.add_argument("--environment", type=Path, required=True, help="the manifest, JSON")
    parser.add_argument("--output", type=Path, required=True, help="the matrix, CSV")
    parser.add_argument("--counts", type=Path, required=True, help="what is drawn of it, CSV")
    parser.add_argument("--summary", type=Path, required=True, help="the wrong ones, markdown")
    parser.add_argument("--pdf", type=Path, required=True, help="the figure, PDF")
    parser.add_argument("--png", type=Path, required=True, help="the figure, PNG")
    records.argument(parser)
    cli.run(main, parser)
