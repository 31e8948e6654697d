"""Predict the rows of a CSV file: ``python predict.py input.csv > out.csv``.

Needs what requirements.txt names, and not the package that trained the model. example.csv shows what goes in, card.md
says what the model is for. Dates are written as 2024-05-17 or 2024-05-17 08:30:00.
"""

import hashlib
import io
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODEL = "model.skops"
SHA256 = ""
TYPES = []  # what may be in the model file beside the plainest of scikit-learn
READ = {}  # how pandas reads the input, as it read the training data
WORDS = {**dict.fromkeys(("true", "t", "yes", "y", "1", "1.0", "on"), 1.0),
         **dict.fromkeys(("false", "f", "no", "n", "0", "0.0", "off"), 0.0)}  # fmt: skip


def load_model():
    """Open the model, if it is the file that was exported."""
    data = (HERE / MODEL).read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        sys.exit(f"{MODEL} is not the file that was exported: its sha256 differs")
    sys.path.insert(0, str(HERE / "code"))
    if MODEL.endswith(".joblib"):  # a pickle, which can run any code
        import joblib

        return joblib.load(io.BytesIO(data))
    import skops.io

    return skops.io.loads(data, trusted=TYPES)


def read_rows(path, signature):
    """Return what names each row, if the input has it, and the columns of the model as they were in training."""
    import pandas as pd

    inputs = signature["inputs"]
    texts = {
        c["name"] for c in inputs if c["kind"] == "datetime" or {"str", "bool"} & {c["dtype"], c.get("categories")}
    }
    try:
        table = pd.read_csv(path, dtype=dict.fromkeys({*texts, signature["id"]} - {None}, "str"), **READ)
    except (OSError, ValueError) as error:  # it is not there, is empty, or is no CSV file
        refuse(path, error)
    table.columns = [str(name).strip() for name in table.columns]
    lacks = [c["name"] for c in inputs if c["name"] not in table]
    if lacks or table.empty:
        refuse(path, f"lacks columns that the model takes: {', '.join(lacks)}" if lacks else "has no rows")
    rows = {}
    for c in inputs:
        try:
            rows[c["name"]] = as_trained(table[c["name"]], c)
        except (KeyError, TypeError, ValueError) as error:
            refuse(path, f"'{c['name']}' holds something else than in training ({c['kind']}, {c['dtype']}): {error}")
    return table[[name for name in table if name == signature["id"]]], pd.DataFrame(rows)


def refuse(path, what):
    """End with one line that says what is wrong with the input."""
    sys.exit(f"{getattr(path, 'name', path)}: {' '.join(str(what).split())}")


def as_trained(column, like):
    """Return a column with the type that it had in training."""
    import pandas as pd

    if like["kind"] == "datetime":
        zoned = bool((like.get("dates") or {}).get("zoned"))
        dates = pd.to_datetime(column, format="ISO8601", utc=zoned)
        return (dates.dt.tz_localize(None) if zoned else dates).astype(like["dtype"])
    if like["dtype"] == "bool":
        truth = column.str.strip().str.lower().map(WORDS.__getitem__, na_action="ignore").astype("float64")
        return truth if truth.isna().any() else truth.astype("bool")
    if like["dtype"] == "category":
        return column.astype("category")
    if like["dtype"] == "str":
        return column.fillna("") if like["kind"] == "text" else column
    numbers = pd.to_numeric(column)
    is_whole = (numbers % 1 == 0).all()  # and none is missing
    return numbers.astype(like["dtype"] if is_whole or like["dtype"].startswith("float") else "float64")


def main(path):
    """Write the predictions of a file to stdout."""
    signature = json.loads((HERE / "signature.json").read_text(encoding="utf-8"))
    model = load_model()
    answers, rows = read_rows(path, signature)
    answers = answers.assign(prediction=model.predict(rows))
    if hasattr(model, "predict_proba"):
        names = [f"proba_{label}" for label in model.classes_]
        answers[names] = model.predict_proba(rows)
    answers.to_csv(sys.stdout, index=False)


if __name__ == "__main__":
    main(sys.stdin if sys.argv[1] == "-" else sys.argv[1]) if len(sys.argv) == 2 else sys.exit(__doc__)
