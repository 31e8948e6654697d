"""Data bases: SQLite files, PostgreSQL where it is installed, and DuckDB over files; nothing is ever written."""

import os
import pwd
import shutil
import socket
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from mlops_cli.components.sources import DuckDbSource, SqlSource, sql
from mlops_cli.config.workspace import Workspace
from mlops_cli.errors import ConfigError, DataError, MissingExtraError
from mlops_cli.records import ComponentSpec, DataSpec, ExperimentSpec, TrialSpec
from mlops_cli.workflows.data.load import _called, load

TABLE = pd.DataFrame({"id": [3, 1, 2], "x": [0.5, np.nan, 1.5], "name": ["c", "a", None], "y": [0, 1, 1]})


def refusal(source, kind=(DataError, ConfigError)) -> str:
    with pytest.raises(kind) as caught:
        source.load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def base(tmp_path):
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, x REAL, name TEXT, y INTEGER)")
        TABLE.to_sql("orders", connection, if_exists="append", index=False)
    connection.close()
    return path


def test_a_query_and_a_table_are_read(base):
    by_id = TABLE.sort_values("id", ignore_index=True)
    assert_frame_equal(SqlSource(path=base, table="orders").load(), by_id, check_dtype=False)
    query = "SELECT * FROM orders WHERE y = :y ORDER BY id"
    assert SqlSource(url=f"sqlite:///{base}", query=query, params={"y": 1}).load().id.tolist() == [1, 2]
    assert SqlSource(url="sqlite:///shop.db", table="orders", root=base.parent).load().id.tolist() == [1, 2, 3]


def test_the_address_may_come_from_the_environment(base, monkeypatch):
    monkeypatch.setenv("SHOP", f"sqlite:///{base}")
    assert len(SqlSource(url_env="SHOP", table="orders").load()) == 3
    monkeypatch.delenv("SHOP")
    said = refusal(SqlSource(url_env="SHOP", table="orders"))
    assert said == "data.url_env: the environment variable SHOP is not set (export SHOP=…)"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"table": "order"}, "there is no table 'order' (did you mean 'orders'?"),
        ({"query": "SELECT * FROM order_s"}, "there is no table 'order_s' (did you mean 'orders'?"),
        ({"query": "SELECT z FROM orders"}, "no such column: z"),
        ({"query": "SELECT FROM WHERE"}, "syntax error"),
        ({"query": "SELECT * FROM orders WHERE id = :id"}, "data.params"),
        ({"query": "SELECT * FROM orders WHERE id > 10"}, "no rows"),
        ({"query": "WITH a AS (SELECT 1) DELETE FROM orders"}, "would write"),
        ({"query": "DELETE FROM orders"}, "must be one SELECT"),
        ({"query": "DROP TABLE orders"}, "must be one SELECT"),
        ({"query": "/* SELECT */ DROP TABLE orders"}, "must be one SELECT"),
        ({"query": "SELECT 1 AS a; DROP TABLE orders"}, "must be one SELECT"),
        ({"query": "SELECT ';' AS a /* ; */ ; DROP TABLE orders -- '"}, "must be one SELECT"),
        ({"query": "SELECT * INTO copy FROM orders"}, "must be one SELECT"),
        ({"query": "ATTACH 'new.db' AS n"}, "must be one SELECT"),
    ],
)
def test_what_cannot_be_asked_is_one_line(base, options, says):
    assert says in refusal(SqlSource(path=base, **options))
    assert len(SqlSource(path=base, table="orders").load()) == 3


@pytest.mark.parametrize(
    "query",
    [
        "-- all; of them\nSELECT * FROM orders ORDER BY id;",
        "/* into; */ SELECT * FROM orders",
        "WITH a AS (SELECT * FROM orders) SELECT * FROM a ORDER BY id ;\n",
        "SELECT *, 'a;b' AS semi, 'into' AS \"into\" FROM orders ORDER BY id",
        "VALUES (1), (2), (3)",
    ],
)
def test_a_query_is_one_whatever_its_strings_and_comments_hold(base, query):
    assert len(SqlSource(path=base, query=query).load()) == 3


def test_two_columns_of_one_name_are_refused_of_which_a_table_would_keep_one(base):
    query = "SELECT a.id, a.x, b.x FROM orders a JOIN orders b ON a.id = b.id ORDER BY a.id"
    said = refusal(SqlSource(path=base, query=query))
    assert said == ("data.query: the answer has more than one column 'x' (name each by AS, such as b.x AS b_x)")
    alias = query.replace("b.x", "b.x AS b_x")
    assert SqlSource(path=base, query=alias).load().columns.tolist() == ["id", "x", "b_x"]


def test_an_sqlite_file_is_opened_to_be_read_whichever_driver_is_named(base, tmp_path):
    named = SqlSource(url=f"sqlite+pysqlite:///{base}", query="WITH a AS (SELECT 1) DELETE FROM orders")
    assert "would write" in refusal(named)
    assert len(SqlSource(url=f"sqlite+pysqlite:///{base}", table="orders").load()) == 3
    missing = SqlSource(url=f"sqlite+pysqlite:///{tmp_path}/nowhere.db", query="SELECT 1 AS a")
    assert "no such file" in refusal(missing)
    assert not (tmp_path / "nowhere.db").exists()


def test_a_data_base_that_is_not_there_is_not_made(tmp_path, write):
    assert "no such file" in refusal(SqlSource(path=tmp_path / "nowhere.db", table="t"))
    assert not (tmp_path / "nowhere.db").exists()
    assert "is not an SQLite data base" in refusal(SqlSource(path=write("a.db", "a,b\n1,2\n" * 9), table="t"))
    assert "is empty" in refusal(SqlSource(url="sqlite://", table="t"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"table": "t"}, "one of url, url_env and path is needed"),
        ({"path": "a", "url": "b", "table": "t"}, "found url and path"),
        ({"path": "a"}, "either a query or a table"),
        ({"path": "a", "query": "q", "table": "t"}, "either a query or a table"),
    ],
)
def test_a_source_is_refused_that_says_too_much_or_too_little(options, says):
    with pytest.raises(ConfigError, match=says):
        SqlSource(**options)


def test_an_address_that_is_none_is_not_repeated(monkeypatch):
    monkeypatch.setenv("SHOP", "me:hunter2")
    assert refusal(SqlSource(url_env="SHOP", table="t")).startswith("data.url_env: $SHOP holds no address")
    for address in ("postgresql://u:p@ss:w0rd@host/db", "postgresql://u:hunter2@host:w0rd/db"):
        monkeypatch.setenv("SHOP", address)
        said = refusal(SqlSource(url_env="SHOP", table="t"))
        assert said.startswith("data.url_env: $SHOP holds no address")
        assert "w0rd" not in said
    assert "has no dialect 'oracel'" in refusal(SqlSource(url="oracel://h/x", table="t"))


def test_a_query_without_an_order_is_said(base):
    source = SqlSource(path=base, query="SELECT * FROM orders")
    assert "no-order" in [n.code for n in source.inspect(source.load())]
    ordered = SqlSource(path=base, query="SELECT * FROM orders order  by id")
    assert "no-order" not in [n.code for n in ordered.inspect(ordered.load())]


def test_a_missing_package_is_named_with_its_extra(base, monkeypatch):
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    assert "mlops-cli[sql]" in refusal(SqlSource(path=base, table="orders"), MissingExtraError)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert "mlops-cli[duckdb]" in refusal(DuckDbSource("SELECT 1"), MissingExtraError)


# --- seeing it again -----------------------------------------------------------------------------------------------


def experiment(**params):
    component = ComponentSpec("mlops_cli.components.sources.SqlSource", params)
    return ExperimentSpec("e", DataSpec(component, target="y"), TrialSpec(ComponentSpec("m")), config={"data": params})


def test_what_a_run_saw_of_a_data_base_can_be_seen_again(workspace, base):
    asked = experiment(path=str(base), table="orders")
    first = load(asked, Workspace(workspace)).train
    with sqlite3.connect(base) as connection:
        connection.execute("UPDATE orders SET x = 9 WHERE id = 1")
    connection.close()
    assert load(asked, Workspace(workspace)).train.version != first.version
    base.unlink()
    again = load(
        experiment(path=str(base), table="orders", snapshot=first.version.version[:10]), Workspace(workspace)
    ).train
    assert again.version == first.version
    assert_frame_equal(again.X, first.X)


ODD = {
    "i": [1, 2, 3],
    "f": [0.1, np.nan, -0.0],
    "t": ["a", None, ""],
    "b": [True, False, True],
    "c": pd.Categorical(["x", None, "y"], categories=["y", "x", "z"], ordered=True),
    "d": pd.to_datetime(["2020-01-01 00:00:00.123456", None, "1700-01-01"], format="ISO8601"),
    "u": np.array([1, 2, 3], dtype="uint8"),
    "h": np.array([1, 2, 3], dtype="float32"),
    "y": ["p", "q", "p"],
}


@pytest.mark.parametrize("name", ODD)
def test_a_snapshot_gives_every_type_back(workspace, monkeypatch, name):
    table = pd.DataFrame({name: ODD[name], "k": [1, 2, 3], "y": ODD["y"]})
    monkeypatch.setattr(SqlSource, "load", lambda self: table)
    monkeypatch.setattr(SqlSource, "inspect", lambda self, table: [])
    first = load(experiment(path="x", table="t"), Workspace(workspace)).train
    assert "no-snapshot" not in [n.code for n in first.notices]
    again = load(experiment(path="x", table="t", snapshot=first.version.version), Workspace(workspace)).train
    assert again.version == first.version
    assert again.X.dtypes.tolist() == first.X.dtypes.tolist()


def test_what_parquet_does_not_hold_is_said(workspace, monkeypatch):
    nested = [{"a": 1}, {"b": 2}, None]
    monkeypatch.setattr(SqlSource, "load", lambda self: pd.DataFrame({"o": nested, "k": [1, 2, 3], "y": ODD["y"]}))
    asked = experiment(path="x", table="t")
    first = load(replace(asked, data=replace(asked.data, drop=("o",))), Workspace(workspace)).train
    assert "no-snapshot" in [n.code for n in first.notices]
    assert not (workspace / ".mlops" / "datasets" / "snapshots").exists()


# --- PostgreSQL ----------------------------------------------------------------------------------------------------

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
USER, PASSWORD = "reader", "hunter2"


def as_postgres(*command, **options):
    """Run a program of PostgreSQL, which refuses to be root."""
    if os.getuid() == 0:
        account = pwd.getpwnam("postgres")
        options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, cwd="/", **options)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """The address of a PostgreSQL of our own, without a password; the test is skipped where it is not installed."""
    pytest.importorskip("psycopg")
    if not BINARIES:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="mlops-pg-"))  # a short path: a socket's has at most 107 bytes
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    bin_ = BINARIES[-1].parent
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "password").write_text(PASSWORD)
    shutil.chown(folder / "password", *(("postgres",) * 2 if os.getuid() == 0 else (os.getuid(),)))
    as_postgres(
        bin_ / "initdb", "-D", folder / "d", "-U", USER, "-A", "scram-sha-256", "--pwfile", folder / "password", "-N"
    )
    options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off"
    as_postgres(bin_ / "pg_ctl", "-D", folder / "d", "-l", folder / "log", "-w", "-o", options, "start")
    try:
        yield f"127.0.0.1:{port}/postgres"
    finally:
        as_postgres(bin_ / "pg_ctl", "-D", folder / "d", "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


CREATE = """
CREATE TABLE sales.orders (id int PRIMARY KEY, price numeric(10, 2), n int, at timestamp,
  key uuid DEFAULT gen_random_uuid(), "odd "" Name" text, ok boolean, y int)
"""
FILL = """
INSERT INTO sales.orders SELECT 101 - i, i / 4.0, CASE WHEN i > 3 THEN i END,
  timestamp '2020-01-01' + i * interval '1 day', gen_random_uuid(), 'a' || i, i % 2 = 0, i % 3
FROM generate_series(1, 100) i
"""


@pytest.fixture
def shop(postgres, monkeypatch):
    """A data base with a table, whose address is in the environment variable SHOP."""
    import sqlalchemy as sa

    url = f"postgresql://{USER}:{PASSWORD}@{postgres}"
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        for statement in (
            "DROP SCHEMA IF EXISTS sales CASCADE",
            "CREATE SCHEMA sales",
            CREATE,
            FILL,
        ):
            connection.execute(sa.text(statement))
    engine.dispose()
    monkeypatch.setenv("SHOP", url)
    return url


def test_a_table_of_postgresql_is_read_with_its_types(shop):
    table = SqlSource(url_env="SHOP", table="sales.orders").load()
    assert table.id.tolist() == list(range(1, 101))
    assert table.dtypes.astype(str)[["price", "n", "ok", "y"]].tolist() == ["float64", "float64", "bool", "int64"]
    assert pd.api.types.is_datetime64_any_dtype(table["at"].dtype)
    assert isinstance(table.key[0], str)
    assert 'odd " Name' in table.columns


def test_a_query_of_postgresql_takes_parameters(shop):
    query = "SELECT id, price FROM sales.orders WHERE price > :least ORDER BY id"
    assert len(SqlSource(url_env="SHOP", query=query, params={"least": 20}).load()) == 20


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM sales.orders RETURNING id",
        "COMMIT; DELETE FROM sales.orders",
        "WITH gone AS (DELETE FROM sales.orders RETURNING id) SELECT * FROM gone",
        "SET TRANSACTION READ WRITE; DELETE FROM sales.orders; COMMIT; SELECT 1 AS a",
        "COMMIT; SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; DELETE FROM sales.orders; SELECT 1 AS a",
        "SELECT 1 AS a; COMMIT; BEGIN READ WRITE; DELETE FROM sales.orders; COMMIT",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT * INTO sales.copy FROM sales.orders",
    ],
)
@pytest.mark.parametrize("is_read_here", [True, False])
def test_a_query_that_writes_is_refused(shop, monkeypatch, query, is_read_here):
    if not is_read_here:  # by the data base too, should the reading here be deceived
        monkeypatch.setattr(sql, "_check_is_select", lambda query: None)
    refusal(SqlSource(url_env="SHOP", query=query))
    assert len(SqlSource(url_env="SHOP", table="sales.orders").load()) == 100


def test_queries_of_postgresql_may_hold_its_own_quotes(shop):
    query = "SELECT $a$;into'$a$ AS a, E'it\\'s; into' AS b, id FROM sales.orders ORDER BY id"
    table = SqlSource(url_env="SHOP", query=query).load()
    assert table.iloc[0].tolist() == [";into'", "it's; into", 1]
    assert len(SqlSource(url_env="SHOP", query="TABLE sales.orders").load()) == 100


def test_what_postgresql_refuses_is_one_line_without_the_password(shop, postgres, monkeypatch):
    assert "did you mean 'orders'?" in refusal(SqlSource(url_env="SHOP", table="sales.ordes"))
    assert "did you mean 'orders'?" in refusal(SqlSource(url_env="SHOP", query="SELECT * FROM sales.ordes"))
    assert 'column "z" does not exist' in refusal(SqlSource(url_env="SHOP", query="SELECT z FROM sales.orders"))
    monkeypatch.setenv("WRONG", f"postgresql://{USER}:hunter3@{postgres}")
    said = refusal(SqlSource(url_env="WRONG", table="t"))
    assert "$WRONG: the credentials are refused" in said
    assert "hunter3" not in said
    monkeypatch.setenv("NOBODY", f"postgresql://{USER}:{PASSWORD}@127.0.0.1:1/postgres")
    said = refusal(SqlSource(url_env="NOBODY", table="t"))
    assert "cannot be reached" in said
    assert PASSWORD not in said
    monkeypatch.setenv("NOWHERE", f"postgresql://{USER}:{PASSWORD}@nowhere.invalid/x")
    assert "cannot be reached" in refusal(SqlSource(url_env="NOWHERE", table="t"))


def test_a_run_on_postgresql_writes_the_password_nowhere(shop, workspace, mlops):
    config = """
defaults: [experiment, {data: sql}, {model: logistic_regression}, {transforms: tabular}, _self_]
data: {url: "${oc.env:SHOP}", table: sales.orders, target: y, drop: [key, at]}
"""
    (workspace / "configs" / "shop.yaml").write_text(config)
    done = mlops("run", "config=shop", "transforms.encode.handle_unknown=ignore", cwd=workspace, env={"SHOP": shop})
    assert done.returncode == 0, done.stderr
    for path in workspace.rglob("*"):
        assert PASSWORD not in str(path)
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path
    assert PASSWORD not in done.stdout + done.stderr


# --- DuckDB --------------------------------------------------------------------------------------------------------


@pytest.fixture
def duck(tmp_path):
    pytest.importorskip("duckdb")
    (tmp_path / "data").mkdir(exist_ok=True)
    for i in range(3):
        pd.DataFrame({"g": [i] * 4, "v": range(4)}).to_parquet(tmp_path / "data" / f"{i}.parquet")
    return tmp_path


def test_duckdb_reads_files_by_query(duck):
    query = "SELECT g, sum(v) AS v FROM 'data/*.parquet' WHERE v >= $least GROUP BY g ORDER BY g"
    table = DuckDbSource(query, {"least": 2}, root=duck).load()
    assert table.to_dict("list") == {"g": [0, 1, 2], "v": [5.0, 5.0, 5.0]}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELECT * FROM 'data/9.parquet'", "No files found"),
        ("SELEC 1", "refuses the query"),
        ("SELECT w FROM 'data/0.parquet'", '"w"'),
        ("SELECT * FROM 'data/0.parquet' WHERE v > 9", "no rows"),
        ("SELECT a.v, b.v FROM 'data/0.parquet' a JOIN 'data/1.parquet' b USING (v)", "more than one column 'v'"),
        ("COPY (SELECT 1) TO 'out.csv'", "must be one SELECT"),
        ("SELECT 1; SELECT 2", "must be one SELECT"),
        ("INSTALL httpfs", "must be one SELECT"),
        ("SET lock_configuration = false", "must be one SELECT"),
    ],
)
def test_what_duckdb_may_not_or_cannot_is_one_line(duck, query, says):
    assert says in refusal(DuckDbSource(query, root=duck))
    assert not (duck / "out.csv").exists()


@pytest.mark.parametrize(
    ("name", "params", "called"),
    [
        ("DuckDbSource", {"query": "SELECT *\n  FROM 'a.parquet'"}, "duckdb: SELECT * FROM 'a.parquet'"),
        ("SqlSource", {"path": "data/a.db", "table": "people"}, "data/a.db: people"),
        ("SqlSource", {"url": "postgresql://me:pw@h/db", "query": "SELECT 1"}, "postgresql://***@h/db: SELECT 1"),
        ("SqlSource", {"url_env": "DB", "query": "SELECT " + "a, " * 99}, f"sql: SELECT {'a, ' * 37}a,…"),
        ("CsvSource", {"path": "data/a.csv"}, "data/a.csv"),
    ],
)
def test_a_run_calls_its_source_by_place_and_query(name, params, called):
    assert _called(ComponentSpec(f"mlops_cli.components.sources.{name}", params), {}) == called
