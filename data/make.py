"""Write scikit-learn's bundled data sets as the CSV files beside this script: ``python data/make.py``."""

from pathlib import Path

from mlops_cli.components.sources.bundled import SklearnSource

NAMES = ("iris", "wine", "breast_cancer", "diabetes", "digits")


def main() -> None:
    """Write one CSV for each name; the same bytes every time."""
    for name in NAMES:
        path = Path(__file__).parent / f"{name}.csv"
        path.write_text(SklearnSource(name).load().to_csv(index=False), encoding="utf-8")


if __name__ == "__main__":
    main()
