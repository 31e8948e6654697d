"""What is secret in an address: masked where it is shown, refused where it would be saved."""

import pytest

from mlops_cli.components.sources.secrets import masked, refuse_password, refuse_secrets
from mlops_cli.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://u:p@h:1/x?a=1&b=c#f", "https://***@h:1/x?a=***&b=***#f"),
        ("s3://key:secret@bucket/x", "s3://***@bucket/x"),
        ("data/a@b.csv", "data/a@b.csv"),
        ("https://h/a@b.csv", "https://h/a@b.csv"),
        ("https://h:8080/a@b.csv", "https://h:8080/a@b.csv"),
        ("s3://bucket/a@b.csv", "s3://bucket/a@b.csv"),
        ("https://u:p/s@h/x", "https://***@h/x"),
        ("https://h/x?token=a;b#access_token=c", "https://h/x?token=***#access_token=***"),
        ("failed: postgresql://me:p%40ss@db/x refused", "failed: postgresql://***@db/x refused"),
        ("postgresql://me:se#c/r?e@t@h/d", "postgresql://***@h/d"),
        ("no http://h/x, nor mysql+pymysql://u:p/w@h:1/d", "no http://h/x, nor mysql+pymysql://***@h:1/d"),
    ],
)
def test_what_is_secret_in_an_address_is_masked(text, shown):
    assert masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "https://me:hunter2@h/x",
        "https://me:hunter2@${oc.env:HOST}/x",
        "https://hunter2@h/x",
        "https://hunter2:@h/x",
        "https://me:hun/ter2@h/x",
        "postgresql://me:hunter2@h/d",
        "postgresql://me:hun/t#e?r2@h/d",
        "postgresql://me:hunter2${oc.env:REST}@h/d",
        "postgresql://h/d?user=me&password=hunter2",
        "https://h/x.csv?part=1&token=hunter2",
        "https://h/x.csv?api%5Fkey=hunter2",
        "https://h/x.csv?apiKey=hunter2",
        "https://h/x.csv?key=hunter2",
        "https://h/x.csv?sv=2020&sig=hunter2",
        "https://h/x.csv?X-Amz-Signature=hunter2",
        "https://h/x.csv#access_token=hunter2",
    ],
)
def test_a_secret_that_would_be_saved_is_refused_and_not_repeated(text):
    with pytest.raises(ConfigError, match=r"data\.path\[1\]: holds a (password|secret).*\$\{oc\.env:NAME\}") as caught:
        refuse_secrets({"path": ["data/x.csv", text]}, "data")
    assert "hun" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "https://me:${oc.env:PASSWORD}@h/x",
        "https://${oc.env:TOKEN}@h/x",
        "https://h/x.csv?token=${oc.env:TOKEN,${oc.env:OTHER}}",
        "postgresql://me@h:5432/d",
        "postgresql://${oc.env:USER}:${oc.env:PASSWORD}@h/d?application_name=a@b",
        "postgresql://h/d?sslmode=require&sslkey=client.key",
        "abfss://container@account.dfs.core.windows.net/x.csv",
        "s3://bucket/2024/a@b.csv",
        "https://h/x.csv?part=1&keyword=a&monkey=b&design=c",
        "me:hunter2@h",
        "SELECT * FROM 's3://b/x.parquet' WHERE mail = 'a:b@c'",
    ],
)
def test_what_holds_no_secret_may_be_saved(text):
    refuse_secrets({"path": text}, "data")


def test_a_typed_address_may_hold_a_signature_but_no_password():
    refuse_password("https://h/x.csv?sig=1234", "PATH")
    with pytest.raises(ConfigError, match=r"PATH: holds a password, .*netrc") as caught:
        refuse_password("https://me:hunter2@h/x", "PATH")
    assert "hunter2" not in str(caught.value)
