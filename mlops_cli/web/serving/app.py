"""The FastAPI application of one version: its addresses, their answers, and what OpenAPI tells of them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, RedirectResponse, Response

from mlops_cli.errors import did_you_mean
from mlops_cli.views import pages
from mlops_cli.web.serving.gate import problem
from mlops_cli.web.serving.limits import LONGEST_NAME, SHOWN_FAULTS, Fault, Held, Limits, Places, Refused, body_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_cli.web.serving.counting import Counts
    from mlops_cli.web.serving.following import Following
    from mlops_cli.web.serving.requestlog import RequestLog
    from mlops_cli.web.serving.served import Served

    Json = dict[str, Any]

_STATIC = Path(pages.__file__).parent / "static"
_PAGE = {"/docs/style.css": "style.css", "/docs/serve.css": "serve.css", "/docs/serve.js": "serve.js"}
_SAID = {401: "No token, or a wrong one.", 403: "The token does not allow this.", 421: "Another host was asked for."}


@dataclass(frozen=True)
class Shared:
    """What all versions have in common, one after the other."""

    places: Places
    limits: Limits
    held: Held
    counts: Counts
    log: RequestLog | None
    has_tokens: bool
    following: Callable[[], Following]


# --- answers, for OpenAPI ----------------------------------------------------------------------------------------


class Field_(BaseModel):  # noqa: N801  as OpenAPI shows it: Field is pydantic's
    """A value that is wrong."""

    row: int | None = Field(description="Counted from 0.")
    field: str | None
    message: str


class Said(BaseModel):
    """What is wrong with a request."""

    message: str
    fields: list[Field_] = []


class Error(BaseModel):
    """An answer that is none."""

    error: Said


class Asked(BaseModel):
    """What may stand behind the address of ``/predict``, and nothing else may."""

    model_config = ConfigDict(extra="forbid")
    proba: Literal["true", "false"] = Field("false", description="The probability of each class too.")


class Prediction(BaseModel):
    """What the model says of a row."""

    model_config = ConfigDict(extra="forbid")
    id: str | int | float | None = Field(None, description="As the row had it.")
    prediction: str | int | float | bool | None
    proba: dict[str, float | None] | None = Field(None, description="The probability of each class.")


class Predictions(BaseModel):
    """What the model says, in the order of the rows."""

    model: str = Field(description="The version that answered.")
    predictions: list[Prediction]


class Health(BaseModel):
    """The process lives."""

    status: Literal["ok"]


class Ready(BaseModel):
    """A model is loaded and answers."""

    ready: Literal[True]
    model: str
    problem: str | None = Field(description="Which version is asked for and cannot be loaded, if there is one.")


class Reloaded(BaseModel):
    """The version that answers from now on."""

    model: str


# --- the application ---------------------------------------------------------------------------------------------


def application(version: Served, shared: Shared) -> FastAPI:
    """Return the application of a version.

    Parameters
    ----------
    version : Served
        What answers.
    shared : Shared
        What it has in common with the versions before and after it.
    """
    app = FastAPI(
        title=version.label,
        version=version.label.rpartition("/")[2],
        description=f"Predicts {version.answers.signature.output}.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={
            Refused: _refused,
            RequestValidationError: _invalid,
            HTTPException: _not_here,
            ClientDisconnect: _gone,
            Exception: _broken,
        },
    )
    _predicting(app, version, shared)
    _telling(app, version, shared)
    _operating(app, shared)
    _explaining(app)
    app.openapi = lambda: _schema(app, version, shared)  # type: ignore[method-assign]
    return app


def _predicting(app: FastAPI, version: Served, shared: Shared) -> None:
    """Add ``/predict``, first of all: addresses are looked for in their order."""
    codes: dict[int | str, Json] = {s: {"model": Error} for s in (408, 413, 415, 422, 503, 504)}
    answers: dict[int | str, Json] = {200: {"model": Predictions}, **codes}

    @app.post("/predict", responses=answers, response_class=Response, summary="Predict one row, or several")
    async def predict(request: Request, asked: Annotated[Asked, Query()]) -> Response:
        """Send a row, `{"column": value, …}`, or a list of rows; what is missing is `null`."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refused(415, "rows are sent as JSON: Content-Type: application/json")
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refused(415, "rows are sent as they are, without a Content-Encoding")
        async with body_of(request, shared.limits, shared.held) as body:
            found = await shared.places.call(_answer, version, body, asked.proba == "true")
        shared.counts.rows.labels(version.label).inc(len(found.predictions))
        if shared.log is not None:
            shared.log.add(version.label, found.rows, found.predictions)
        return Response(found.body, media_type="application/json")


def _answer(version: Served, body: bytearray, proba: bool) -> Any:
    return version.answer(body, proba=proba)


def _telling(app: FastAPI, version: Served, shared: Shared) -> None:
    """Add what there is to know of the server and the version."""

    @app.get("/health", response_model=Health, summary="Whether the process lives")
    async def health() -> Json:
        return {"status": "ok"}

    @app.get("/ready", response_model=Ready, summary="Whether a model answers, and which")
    async def ready() -> Json:
        return {"ready": True, "model": version.label, "problem": _problem(shared.following())}

    @app.get("/model", response_class=Response, summary="The version: its origin, its scores, what it takes")
    async def model() -> Response:
        told = {**version.describe(), "asked": shared.following().asked, "problem": _problem(shared.following())}
        return _json(told)


def _operating(app: FastAPI, shared: Shared) -> None:
    """Add what those who run the server ask for."""

    @app.get(
        "/metrics",
        response_class=Response,
        summary="Counts and times, as Prometheus reads them",
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics() -> Response:
        return Response(shared.counts.page(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.post(
        "/model/reload",
        response_model=Reloaded,
        responses={409: {"model": Error}},
        summary="Load the version that is meant now, even if it is loaded already",
    )
    async def reload() -> Json:
        following = shared.following()
        if not await asyncio.to_thread(following.refresh, force=True):
            raise Refused(409, _problem(following) or "it could not be loaded")
        return {"model": following.current.version.label}


def _problem(following: Following) -> str | None:
    label = following.problem
    return None if label is None else f"{label} is asked for and cannot be loaded: the server's own log says why"


# --- the page that explains --------------------------------------------------------------------------------------


def _explaining(app: FastAPI) -> None:
    """Add a page of our own, which loads nothing from elsewhere: FastAPI's asks another host for its scripts."""
    page = pages.environment().get_template("serve.html").render().encode()

    @app.get("/", include_in_schema=False)
    async def home() -> Response:
        return RedirectResponse("/docs", 307)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return Response(page, media_type="text/html; charset=utf-8")

    @app.get("/docs/{name}", include_in_schema=False)
    async def file(request: Request) -> Response:
        name = _PAGE.get(request.scope["path"])
        if name is None:
            raise HTTPException(404)
        return FileResponse(_STATIC / name)


def _schema(app: FastAPI, version: Served, shared: Shared) -> Json:
    """Return the OpenAPI document, with the rows of this version in it."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schemas = made["components"]["schemas"]
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        schemas["Row"] = version.form.row_schema()
        row = {"$ref": "#/components/schemas/Row"}
        rows = {"type": "array", "items": row, "minItems": 1, "maxItems": version.form.most}
        examples = {"row": {"value": version.example}, "rows": {"value": [version.example]}}
        content = {"schema": {"anyOf": [row, rows]}, "examples": examples}
        made["paths"]["/predict"]["post"]["requestBody"] = {"required": True, "content": {"application/json": content}}
        _tell_errors(made, shared)
        app.openapi_schema = made
    return app.openapi_schema


def _tell_errors(made: Json, shared: Shared) -> None:
    """Say which errors any address may answer with, and what a token is needed for."""
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for path, methods in made["paths"].items():
        for operation in methods.values():
            is_open = path in {"/health", "/ready"}
            if shared.has_tokens and not is_open:
                operation["security"] = [{"token": []}]
            codes = [403, 421] if is_open or not shared.has_tokens else [401, 403, 421]
            told = {str(code): {"description": _SAID[code], "content": error} for code in codes}
            operation["responses"] = {**told, **operation["responses"]}
    if shared.has_tokens:
        made["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}


# --- errors ------------------------------------------------------------------------------------------------------


def _json(value: Any) -> Response:
    return Response(json.dumps(value, allow_nan=False, ensure_ascii=False), media_type="application/json")


async def _refused(_request: Request, error: Exception) -> Response:
    return problem(error if isinstance(error, Refused) else Refused(500, "internal error"))


async def _invalid(_request: Request, error: Exception) -> Response:
    """Answer a query that is not allowed; a body is looked at by `RowForm`."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    faults = [_of_query(str(e["loc"][-1])[:LONGEST_NAME], e) for e in found[:SHOWN_FAULTS]]
    return problem(Refused(422, "; ".join(f"{f.field}: {f.message}" for f in faults), faults))


def _of_query(name: str, error: Json) -> Fault:
    unknown = f"no such parameter; {did_you_mean(name, Asked.model_fields)}"
    return Fault(None, name, unknown if error["type"] == "extra_forbidden" else str(error["msg"]))


async def _not_here(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    headers = (error.headers or {}) if isinstance(error, HTTPException) else {}
    words = {
        404: "there is nothing at this address: /docs tells what there is",
        405: "this address takes another method",
    }
    return problem(Refused(status, words.get(status, "this cannot be answered"), headers=headers))


async def _gone(_request: Request, _error: Exception) -> Response:
    return problem(Refused(400, "the request ended before its body"))


async def _broken(_request: Request, _error: Exception) -> Response:
    return problem(Refused(500, "internal error; the server's own log says more"))
