"""A bare FastAPI app around a saved Pipeline: what someone would write in ten minutes. ``serve_bare.py MODEL PORT``."""

import sys

import pandas as pd
import uvicorn
from fastapi import FastAPI
from pydantic import create_model

import mlops_cli as mlops

ref, port = sys.argv[1:]
model = mlops.load_model(ref)
pipeline = model.pipeline
kinds = {"int64": int, "float64": float | None, "bool": bool, "str": str | None}
Row = create_model("Row", **{column.name: (kinds[column.dtype], ...) for column in model.signature.inputs})
app = FastAPI()


@app.post("/predict")
def predict(rows: list[Row]) -> list:
    """Return a prediction for each row."""
    table = pd.DataFrame([row.model_dump() for row in rows])
    return pipeline.predict(table).tolist()


@app.get("/health")
def health() -> str:
    """Return that it lives."""
    return "ok"


uvicorn.run(app, port=int(port), log_level="critical", http="h11", loop="asyncio")
