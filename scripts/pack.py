"""Pack a finished study for archiving: one zip file, an RO-Crate."""

import argparse
import datetime
import json
import shutil
import zipfile
from pathlib import Path

from deltann.errors import StudyError
from deltann.execution import cli
from deltann.provenance import files


def main(options: argparse.Namespace) -> None:
    """Check the study, and pack it."""
    from deltann.archive import crate, crate_page
    from deltann.archive.verify import Verification

    if not options.study.is_dir():
        raise StudyError(f"{options.study}: no such folder; expected results/<study>")
    state = Verification(options.study)
    if state.wrong:
        raise StudyError(f"{options.study} is not whole: {'; '.join(state.wrong)}")
    found = crate.gather(options.study, state.left_over)
    metadata = crate.metadata(found, datetime.date.today().isoformat())
    texts = {
        crate.METADATA: json.dumps(metadata, indent=2, ensure_ascii=False) + "\n",
        crate.PREVIEW: crate_page.page(found, metadata),
    }
    target = options.study.with_name(f"{options.study.name}.zip")
    with files.atomic(target) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(_undated(name), text)
        for name, path in found.paths.items():
            info = _undated(name)
            with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as copy:
                shutil.copyfileobj(source, copy, 1 << 20)
    print(f"{target}: {len(found.paths)} files, {target.stat().st_size / 1e6:.1f} MB")


def _undated(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, help="results/<study>")
    cli.run(main, parser)
