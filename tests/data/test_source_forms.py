"""ARFF, svmlight, pictures, Feather, ORC and fixed widths are read with their types, or refused in one line."""

import gzip

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.datasets import dump_svmlight_file

from mlops_cli.components.dataset import read_table
from mlops_cli.components.sources import (
    ArffSource,
    CsvSource,
    FeatherSource,
    FixedWidthSource,
    ImagesSource,
    OrcSource,
    SvmlightSource,
)
from mlops_cli.errors import ConfigError, DataError
from mlops_cli.records import ComponentSpec, DataSpec

ARFF = r"""% a comment
@RELATION weather

@attribute outlook {sunny, 'very rainy', "over,cast", it\'s}
@attribute 'max temp' REAL
@ATTRIBUTE	humidity integer
@attribute day date "yyyy-MM-dd HH:mm"
@attribute note string

@data
sunny, 21.5, 40, "2020-01-31 10:30", 'it\'s, fine'
% in between
'very rainy', ?, 90, ?, ?
'over,cast', 1e2, 50, "2020-02-01 00:00", 50% off
"""


def refusal(source, kind=(DataError, ConfigError)) -> str:
    with pytest.raises(kind) as caught:
        source.load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_arff_gives_the_types_of_its_header(write):
    text = ARFF.replace('"2020-01-31 10:30"', "'2020-01-31 10:30'").replace('"2020-02-01 00:00"', "'2020-02-01 00:00'")
    table = ArffSource(write("a.arff", text)).load()
    assert table.columns.tolist() == ["outlook", "max temp", "humidity", "day", "note"]
    assert table.outlook.tolist() == ["sunny", "very rainy", "over,cast"]
    assert table.outlook.cat.categories.tolist() == ["sunny", "very rainy", "over,cast", r"it\'s"]
    assert table["max temp"].isna().tolist() == [False, True, False]
    assert table.humidity.tolist() == [40, 90, 50]
    assert table.day[0] == pd.Timestamp("2020-01-31 10:30")
    assert table.note.tolist()[0] == "it's, fine"
    assert table.note.isna().tolist() == [False, True, False]
    assert table.note.tolist()[2] == "50% off"


def test_arff_agrees_with_scipys_reader(tmp_path):
    import io

    from scipy.io import arff
    from sklearn.datasets import load_iris

    data = load_iris()
    lines = ["@relation iris", *(f"@attribute a{i} numeric" for i in range(4)), "@attribute c {0,1,2}", "@data"]
    lines += [",".join(map(repr, map(float, x))) + f",{y}" for x, y in zip(data.data, data.target, strict=True)]
    (tmp_path / "iris.arff.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    table = ArffSource(tmp_path / "iris.arff.gz").load()
    theirs = pd.DataFrame(arff.loadarff(io.StringIO("\n".join(lines)))[0])
    for name in ("a0", "a1", "a2", "a3"):
        assert table[name].tolist() == theirs[name].tolist()
    assert table.c.astype(str).tolist() == [v.decode() for v in theirs.c]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("@relation r\n@attribute a numeric\n@data\n{0 1}\n", "sparse"),
        ("@relation r\n@attribute a numeric\n", "no @data line"),
        ("a,b\n1,2\n", "line 1 is none of an ARFF header"),
        ("@relation r\n@attribute a\n@data\n1\n", "without a type"),
        ("@relation r\n@attribute a relational\n@data\n1\n", "is of the type relational"),
        ("@relation r\n@attribute a numeric\n@attribute a numeric\n@data\n1,1\n", "'a' more than once"),
        ("@relation r\n@attribute a numeric\n@data\nx\n", "'a' is numeric"),
        ("@relation r\n@attribute a {x,y}\n@data\nz\n", "the value 'z', which its header does not list"),
        ("@relation r\n@attribute a numeric\n@data\n", "has no rows"),
        (
            "@relation r\n@attribute a numeric\n@attribute b numeric\n@data\n1,2,3\n4,5,6\n",
            "row 1 below @data has 3 values for 2 columns",
        ),
        (
            "@relation r\n@attribute a numeric\n@attribute b numeric\n@data\n1,2\n4,5,6\n",
            "row 2 below @data has 3 values for 2 columns",
        ),
        (
            "@relation r\n@attribute a numeric\n@attribute b numeric\n@data\n1,2\n1\n",
            "row 2 below @data has 1 values for 2 columns",
        ),
    ],
)
def test_what_is_no_arff_is_one_line(write, text, says):
    assert says in refusal(ArffSource(write("a.arff", text)))


TEXTS = "@relation r\n@attribute a string\n@attribute b string\n@data\n"


def test_a_question_mark_in_quotes_is_a_value_and_a_bare_one_is_missing(write):
    table = ArffSource(write("a.arff", TEXTS + "x,'?'\n?,?\n\"?\",'a?, ?'\n")).load()
    assert table.a.fillna("-").tolist() == ["x", "-", "?"]
    assert table.b.fillna("-").tolist() == ["?", "-", "a?, ?"]
    nominal = "@relation r\n@attribute a {x,'?'}\n@data\n'?'\n?\nx\n"
    table = ArffSource(write("b.arff", nominal)).load()
    assert table.a.astype(object).fillna("-").tolist() == ["?", "-", "x"]


def test_both_kinds_of_quotes_may_be_in_one_arff(write):
    rows = '\'it, is\',"so, \'what\'"\n\'a "b"\',"it\'s \\"c\\" \\\\"\nplain,5" pipe\n'
    table = ArffSource(write("a.arff", TEXTS + rows)).load()
    assert table.a.tolist() == ["it, is", 'a "b"', "plain"]
    assert table.b.tolist() == ["so, 'what'", 'it\'s "c" \\', '5" pipe']


def test_lines_of_an_arff_may_end_in_a_comma(write):
    assert ArffSource(write("a.arff", TEXTS + "x,y,\nz,w,\n")).load().b.tolist() == ["y", "w"]


@pytest.mark.parametrize(
    ("source", "name", "text"),
    [
        (ArffSource, "a.arff", "@relation r\n@attribute code numeric\n@attribute y numeric\n@data\n007,1\n?,0\n"),
        (FixedWidthSource, "a.txt", "code y\n007  1\n     0\n"),
    ],
)
def test_codes_said_to_be_text_keep_their_zeros(write, source, name, text):
    table, _ = read_table(source(write(name, text)), DataSpec(ComponentSpec("s"), dtypes={"code": "str"}))
    assert table.code.fillna("-").tolist() == ["007", "-"]
    assert table.y.tolist() == [1, 0]


def test_columns_without_a_header_may_be_said_to_be_text_too(write):
    spec = DataSpec(ComponentSpec("s"), dtypes={"0": "str"})
    for source in (
        CsvSource(write("a.csv", "007,1.5\n010,2\n"), {"header": None}),
        FixedWidthSource(write("a.txt", "007 1.5\n010   2\n"), {"header": None}),
    ):
        table, _ = read_table(source, spec)
        assert table["0"].tolist() == ["007", "010"]
        assert table["1"].tolist() == [1.5, 2]


def test_numbers_that_grow_wider_after_many_lines_are_read_whole(write):
    lines = "".join(f"{i:5d} {i % 2}\n" for i in range(1, 1200))
    table = FixedWidthSource(write("a.txt", "   id y\n" + lines)).load()
    assert table.id.tolist() == list(range(1, 1200))


def test_svmlight_never_guesses_from_where_columns_are_counted(write, tmp_path):
    write("a.svm", "1 0:5 2:1\n")
    write("b.svm", "0 1:7 2:1\n")  # counted from 0 too, though its first column has no value
    said = refusal(SvmlightSource(tmp_path, n_columns=3))
    assert "a.svm: counts columns from 0 (`data.zero_based: true`" in said
    table = SvmlightSource(tmp_path, n_columns=3, zero_based=True).load()
    assert table[["f0", "f1", "f2"]].to_numpy().tolist() == [[5, 0, 1], [0, 7, 1]]


def test_svmlight_is_a_dense_table(tmp_path):
    X = np.array([[0, 1.5, 0], [2, 0, 0], [0, 0, 3]])
    path = tmp_path / "a.svm"
    dump_svmlight_file(X, [1, -1, 1], str(path), zero_based=False)
    table = SvmlightSource(path).load()
    assert table.columns.tolist() == ["f0", "f1", "f2", "target"]
    assert table[["f0", "f1", "f2"]].to_numpy().tolist() == X.tolist()
    assert table.target.tolist() == [1, -1, 1]
    assert SvmlightSource(path, n_columns=5).load().shape == (3, 6)
    assert "GiB as a dense table" in refusal(SvmlightSource(path, max_dense_bytes=50))


def test_svmlight_knows_queries_and_fractions(write):
    path = write("a.txt", "0.5 qid:1 1:1\n1.5 qid:2 2:1\n")
    table = SvmlightSource(path, query_id=True).load()
    assert table.qid.tolist() == [1, 2]
    assert table.target.tolist() == [0.5, 1.5]
    assert "form of svmlight" in refusal(SvmlightSource(write("b.svm", "a,b\n1,2\n")))


@pytest.fixture
def pictures(tmp_path):
    from PIL import Image

    for label, colour in (("cat", (255, 0, 0)), ("dog", (0, 0, 255))):
        (tmp_path / "p" / label).mkdir(parents=True)
        for i in range(2):
            Image.new("RGB", (4 + i, 6), colour).save(tmp_path / "p" / label / f"{i}.png")
    return tmp_path / "p"


def test_pictures_are_rows_of_pixels_with_their_folder_as_target(pictures):
    table = ImagesSource(pictures, size=[2, 3], grayscale=False).load()
    assert table.columns.tolist() == [*(f"px{i}" for i in range(18)), "target", "file"]
    assert table.target.tolist() == ["cat", "cat", "dog", "dog"]
    assert table.file.tolist() == ["cat/0.png", "cat/1.png", "dog/0.png", "dog/1.png"]
    assert table.loc[0, ["px0", "px1", "px2"]].tolist() == [255, 0, 0]
    gray = ImagesSource(pictures, size=[2, 3]).load()
    assert gray.shape == (4, 8)
    assert gray.px0.tolist() == [76, 76, 29, 29]  # ITU-R 601: 0.299 R + 0.587 G + 0.114 B


def test_pixels_keep_their_places(tmp_path):
    from PIL import Image

    pixels = np.arange(12, dtype="uint8").reshape(3, 4)
    (tmp_path / "a").mkdir()
    Image.fromarray(pixels).save(tmp_path / "a" / "x.png")
    table = ImagesSource(tmp_path, size=[3, 4]).load()
    assert table.iloc[0, :12].tolist() == list(range(12))


@pytest.mark.parametrize(
    ("dtype", "suffix"), [("uint16", "png"), ("uint16", "tif"), ("int32", "tif"), ("float32", "tif")]
)
def test_pixels_of_more_than_8_bits_are_refused_not_cut_off(tmp_path, dtype, suffix):
    from PIL import Image

    (tmp_path / "a").mkdir()
    Image.fromarray(np.array([[0, 300], [30_000, 65_535]], dtype=dtype)).save(tmp_path / "a" / f"x.{suffix}")
    said = refusal(ImagesSource(tmp_path, size=[2, 2]))
    assert f"x.{suffix}: has pixels of {'16' if dtype == 'uint16' else '32'} bits" in said
    assert "save it with 8 bits" in said


def test_pictures_are_turned_as_their_camera_says(tmp_path):
    from PIL import Image

    pixels = np.arange(12, dtype="uint8").reshape(3, 4)
    turned = Image.fromarray(np.rot90(pixels))  # as a camera that was held sideways stores it
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    (tmp_path / "a").mkdir()
    turned.save(tmp_path / "a" / "x.png", exif=exif)
    assert ImagesSource(tmp_path, size=[3, 4]).load().iloc[0, :12].tolist() == list(range(12))


def test_what_is_transparent_is_white_whatever_colour_is_hidden(tmp_path):
    from PIL import Image

    drawn = np.zeros((2, 2, 4), dtype="uint8")  # black all over: only how opaque it is makes the picture
    drawn[0, 0, 3] = 255
    (tmp_path / "a").mkdir()
    Image.fromarray(drawn).save(tmp_path / "a" / "x.png")
    assert ImagesSource(tmp_path, size=[2, 2]).load().iloc[0, :4].tolist() == [0, 255, 255, 255]


def test_what_is_no_picture_is_one_line(pictures):
    (pictures / "cat" / "broken.png").write_bytes(b"not a picture")
    assert "broken.png: is no picture" in refusal(ImagesSource(pictures))
    (pictures / "cat" / "broken.png").unlink()
    whole = (pictures / "cat" / "0.png").read_bytes()
    (pictures / "cat" / "cut.png").write_bytes(whole[:50])
    assert "cut.png: cannot be read as a picture" in refusal(ImagesSource(pictures))
    (pictures / "cat" / "cut.png").unlink()
    (pictures / "empty").mkdir()
    assert "empty: holds no pictures" in refusal(ImagesSource(pictures))
    assert "holds no folders" in refusal(ImagesSource(pictures / "cat"))
    with pytest.raises(ConfigError, match=r"data\.size"):
        ImagesSource(pictures, size=[28])


def test_feather_and_orc_keep_their_types(tmp_path):
    table = pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [0.5, np.nan]})
    table.to_feather(tmp_path / "a.feather")
    table.to_orc(tmp_path / "a.orc")
    assert_frame_equal(FeatherSource(tmp_path / "a.feather").load(), table)
    assert_frame_equal(OrcSource(tmp_path / "a.orc").load(), table)
    for source in (FeatherSource, OrcSource):
        (tmp_path / "x").write_bytes(b"a,b\n1,2\n")
        assert "cannot be read as" in refusal(source(tmp_path / "x"))
        with pytest.raises(ConfigError, match="did you mean 'columns'"):
            source(tmp_path / "x", {"colums": []})


def test_fixed_widths_are_read(write):
    path = write("a.txt.gz", gzip.compress(b"ab  12\ncd   3\n"))
    table = FixedWidthSource(path, {"colspecs": [[0, 2], [2, 6]], "header": None, "names": ["s", "n"]}).load()
    assert table.to_dict("list") == {"s": ["ab", "cd"], "n": [12, 3]}
    assert FixedWidthSource(path, {"widths": [2, 4], "header": None}).load().shape == (2, 2)
    with pytest.raises(ConfigError, match="did you mean 'widths'"):
        FixedWidthSource(path, {"width": [2, 4]})
