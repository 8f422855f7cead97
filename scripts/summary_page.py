"""Write the summary as a page, with the figures that show what was found."""

import argparse
from pathlib import Path

from deltann.execution import cli, environment
from deltann.provenance import files, records


def main(options: argparse.Namespace) -> None:
    """Choose the pictures and write."""
    digest = environment.check(options.environment)
    from deltann.summary import page

    inputs = {options.summary: records.check(options.summary, options.summary_record)}
    paths = {path.stem: path for path in options.pictures}
    pictures = page.choose(records.read(options.summary_record)["findings"], paths)
    for picture in pictures:
        record = picture.path.with_suffix(".json")
        inputs[picture.path] = records.check(picture.path, record)
    text = options.summary.read_text(encoding="utf-8")
    body = page.body(text, pictures)
    files.write_text(options.output, page.page(body))
    files.write_text(options.part, page.part(body))
    outputs = [options.output, options.part]
    records.write(options.record, "summary_page", outputs, inputs, digest)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--summary", type=Path, required=True, help="the summary, markdown")
    records.argument(parser, "summary")
    parser.add_argument(
        "--pictures", type=Path, required=True, nargs="+", help="the study's figures, PNG"
    )
    parser.add_argument("--environment", type=Path, required=True, help="the manifest, JSON")
    parser.add_argument("--output", type=Path, required=True, help="the page, HTML")
    parser.add_argument("--part", type=Path, required=True, help="the same for the report, HTML")
    records.argument(parser)
    cli.run(main, parser)
