"""Archive a finished study: one zip file, an RO-Crate."""

import argparse
import datetime
from pathlib import Path

from deltann.errors import StudyError
from deltann.execution import cli


def main(options: argparse.Namespace) -> None:
    """Check the study, and archive it."""
    from deltann.archive import crate, crate_page, history
    from deltann.archive.verify import Verification

    if not options.study.is_dir():
        raise StudyError(f"{options.study}: no such folder; expected results/<study>")
    state = Verification(options.study)
    if state.wrong:
        raise StudyError(f"{options.study} is not archived: {'; '.join(state.wrong)}")
    made = history.gather(options.study, state.left_over)
    metadata = crate.describe(made, datetime.date.today().isoformat())
    texts = {
        history.METADATA: crate.to_json(metadata),
        history.PREVIEW: crate_page.page(made, metadata),
    }
    archive = options.study.with_name(f"{options.study.name}.zip")
    crate.write_zip(archive, texts, made.paths)
    print(f"{archive}: {len(made.paths)} files, {archive.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, help="results/<study>")
    cli.run(main, parser)
