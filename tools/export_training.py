"""Write the data sets of programs/training from those that scikit-learn ships.

    python tools/export_training.py             writes the files anew
    python tools/export_training.py --check     exit status 1, and their names, when some have other contents

Every fifth example, from the fifth on, is for testing. Same versions, same bytes: a `.gz` tells no time and no file name.

- digits: 1,797 handwritten digits of 13 people, 8×8 pixels from 0 to 16 in reading order (E. Alpaydin, C. Kaynak, "Optical Recognition of
  Handwritten Digits", UCI Machine Learning Repository, 1998, CC BY 4.0).
- cancer: 569 breast masses, 30 measures of the nuclei in an image, 1 for malignant (W. Wolberg, O. Mangasarian, N. Street, W. Street, "Breast
  Cancer Wisconsin (Diagnostic)", UCI Machine Learning Repository, 1995, CC BY 4.0). Each measure is standardised: less its mean over the
  training examples, over its standard deviation there.
"""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path
from typing import Iterable, Iterator, Sequence

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from graphlang.files import write_whole  # noqa: E402

FOLDER = ROOT / "programs" / "training"
EVERY = 5


def digits() -> Iterator[tuple[str, str]]:
    from sklearn.datasets import load_digits

    found = load_digits()
    rows = [[*map(int, pixels), int(digit)] for pixels, digit in zip(found.data, found.target)]
    yield from split("digits", [*(f"pixel[{k}]" for k in range(1, 65)), "digit"], rows)


def cancer() -> Iterator[tuple[str, str]]:
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    for_training = [k for k in range(len(found.data)) if (k + 1) % EVERY]
    kept = found.data[for_training]
    values = (found.data - kept.mean(axis=0)) / kept.std(axis=0)
    rows = [[*(f"{v:.3f}" for v in row), 1 - int(benign)] for row, benign in zip(values, found.target)]
    yield from split("cancer", [*(f"x[{k}]" for k in range(1, 31)), "ystar"], rows)


def split(name: str, columns: Sequence[str], rows: Sequence[Sequence]) -> Iterator[tuple[str, str]]:
    """The two files of a data set: their names and texts."""
    yield f"{name}_train.csv.gz", text(columns, (row for k, row in enumerate(rows, 1) if k % EVERY))
    yield f"{name}_test.csv.gz", text(columns, rows[EVERY - 1::EVERY])


def text(columns: Sequence[str], rows: Iterable[Sequence]) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in (columns, *rows))


def packed(data: str) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", mtime=0) as file:
        file.write(data.encode())
    return buffer.getvalue()


def main(arguments: Sequence[str]) -> int:
    stale = []
    for name, data in (*digits(), *cancer()):
        file = FOLDER / name
        if not file.exists() or gzip.decompress(file.read_bytes()).decode() != data:  # packed by another zlib it has other bytes, and says the same
            stale.append(name)
            if "--check" not in arguments:
                write_whole(file, packed(data))
    print("\n".join(stale) if stale else "nothing to write")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
