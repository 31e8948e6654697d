"""The script that a good engineer would write to predict a file: read it, ask the saved Pipeline, write the answers."""

import sys

import pandas as pd

from mlops_cli.workflows.applying.model import find_model

if __name__ == "__main__":
    source, target = sys.argv[1:]
    pipeline = find_model("predict:latest").open().pipeline
    table = pd.read_parquet(source) if source.endswith(".parquet") else pd.read_csv(source)
    predicted = pipeline.predict(table[list(pipeline.feature_names_in_)])
    pd.DataFrame({"id": table["id"], "prediction": predicted}).to_csv(target, index=False)
