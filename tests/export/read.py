"""What an engine finds in a dataset of `emonfeed export`, or in a feed through the
library's Arrow C stream: for each feed and day a line of feed, day, rows, values, sum
of the values, their average, and the sum of data2, parted by tabs; sorted.

    read.py duckdb|pyarrow|spark parquet|arrow|csv DATASET
    read.py stream-duckdb|stream-pyarrow LIBRARY FEED_FILE...

Of feed 1 of a dataset of Parquet also its rows as PHPTimeSeries has them, and what
each file says of itself:

    read.py rows DATASET FILE
    read.py facts DATASET

What code answers that is in the documentation (SQL is DuckDB's, Python may end with an
expression), a line for each row, sorted:

    read.py example sql|python|spark CODE
"""

import ctypes
import re
import sys

QUERY = """
    SELECT feed, CAST(floor(seconds / 86400) AS BIGINT) AS day, count(*) AS n,
        count(value) AS v, sum(CAST(value AS DOUBLE)) AS s, avg(CAST(value AS DOUBLE)) AS a,
        sum(CAST(data2 AS DOUBLE)) AS d
    FROM rows GROUP BY 1, 2 ORDER BY 1, 2
"""


def duckdb_of_files(form, dataset):
    import duckdb

    names = {"parquet": "*.parquet", "arrow": "*.arrow", "csv": "*.csv*"}[form]
    files = f"'{dataset}/*/*/{names}'"
    options = "hive_partitioning = true, union_by_name = true"
    source = {
        "parquet": f"read_parquet({files}, {options})",
        "csv": f"read_csv({files}, {options}, header = true, "
        "types = {'time': 'BIGINT', 'value': 'DOUBLE', 'data2': 'DOUBLE'})",
    }[form]
    seconds = "time" if form == "csv" else "epoch(time)"
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    # No feed need have data2.
    db.execute(
        f"CREATE VIEW rows AS SELECT feed, {seconds} AS seconds, value, data2 FROM "
        f"(SELECT * FROM {source} UNION ALL BY NAME SELECT CAST(NULL AS DOUBLE) AS data2 WHERE false)"
    )
    return db.execute(QUERY).fetchall()


def pyarrow_of_files(form, dataset):
    import pyarrow.dataset as datasets

    found = []
    for feed in sorted(partitions(dataset)):
        rows = datasets.dataset(
            f"{dataset}/feed={feed}", format=form, partitioning="hive"
        ).to_table()
        found += by_days(feed, rows)
    return found


def partitions(dataset):
    import os

    for name in os.listdir(dataset):
        if match := re.fullmatch(r"feed=(\d+)", name):
            yield int(match[1])


def by_days(feed, rows):
    """The same by pyarrow's own functions."""
    import pyarrow
    import pyarrow.compute as compute

    seconds = rows["time"].cast(pyarrow.timestamp("s", "UTC")).cast(pyarrow.int64())
    double = lambda name: rows[name].cast(pyarrow.float64())
    table = pyarrow.table({
        "day": compute.floor(compute.divide(seconds.cast(pyarrow.float64()), 86400.0)),
        "value": double("value"),
        "data2": double("data2") if "data2" in rows.column_names else
        pyarrow.nulls(len(rows), pyarrow.float64()),
    })
    days = table.group_by("day").aggregate([
        ([], "count_all"), ("value", "count"), ("value", "sum"), ("value", "mean"),
        ("data2", "sum"),
    ]).sort_by("day")
    names = ["day", "count_all", "value_count", "value_sum", "value_mean", "data2_sum"]
    return [[feed, *row] for row in zip(*(days[name].to_pylist() for name in names))]


def spark_session():
    from pyspark.sql import SparkSession

    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def spark_of_files(_, dataset):
    """Of Parquet; it reads nothing else here."""
    from functools import reduce

    spark = spark_session()
    # A feed of floats and one of doubles have no schema in common.
    each = [
        spark.read.option("basePath", dataset).parquet(f"{dataset}/feed={feed}")
        for feed in partitions(dataset)
    ]
    rows = reduce(lambda a, b: a.unionByName(b, allowMissingColumns=True), each)
    rows = rows.selectExpr("*", "unix_timestamp(time) AS seconds")
    if "data2" not in rows.columns:
        rows = rows.selectExpr("*", "CAST(NULL AS DOUBLE) AS data2")
    rows.createOrReplaceTempView("rows")
    return [list(row) for row in spark.sql(QUERY).collect()]


class Stream:
    """A feed, as an object that gives an Arrow C stream, as Arrow's PyCapsule
    interface wants it."""

    def __init__(self, library, path):
        self.library = library
        self.feed = ctypes.c_void_p()
        self.ask("emonfeed_feed_open", path.encode(), ctypes.c_uint32(0), ctypes.byref(self.feed))

    def ask(self, function, *arguments):
        error = ctypes.c_void_p()
        if getattr(self.library, function)(*arguments, ctypes.byref(error)) != 0:
            message = self.library.emonfeed_error_message
            message.restype = ctypes.c_char_p
            sys.exit(message(error).decode())

    def __arrow_c_stream__(self, requested_schema=None):
        # Five pointers. The consumer calls `release`; this memory is kept.
        stream = (ctypes.c_void_p * 5)()
        first, last = ctypes.c_int64(-(1 << 40)), ctypes.c_int64(1 << 40)
        self.ask(
            "emonfeed_feed_arrow", self.feed, first, last, ctypes.c_uint64(7), ctypes.byref(stream)
        )
        Stream.kept.append(stream)
        capsule = ctypes.pythonapi.PyCapsule_New
        capsule.restype = ctypes.py_object
        capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return capsule(ctypes.addressof(stream), b"arrow_array_stream", None)

    kept = []


def of_streams(engine, library, paths):
    library = ctypes.CDLL(library)
    of_feed = {"stream-duckdb": duckdb_of_stream, "stream-pyarrow": pyarrow_of_stream}[engine]
    found = []
    for path in paths:
        found += of_feed(int(re.search(r"(\d+)\.MYD$", path)[1]), Stream(library, path))
    return found


def pyarrow_of_stream(feed, stream):
    import pyarrow

    return by_days(feed, pyarrow.RecordBatchReader.from_stream(stream).read_all())


def duckdb_of_stream(feed, stream):
    import duckdb

    db = duckdb.connect()
    db.register("stream", stream)
    db.execute("SET TimeZone = 'UTC'")
    columns = [name for name, *_ in db.execute("SELECT * FROM stream LIMIT 0").description]
    data2 = "data2" if "data2" in columns else "CAST(NULL AS DOUBLE)"
    query = QUERY.replace(
        "FROM rows",
        f"FROM (SELECT {feed} AS feed, epoch(time) AS seconds, value, {data2} AS data2 FROM stream)",
    )
    return db.execute(query).fetchall()


def write_rows(dataset, file):
    import struct

    import pyarrow.parquet as parquet

    rows = bytearray()
    for path in files_of_feed_1(dataset):
        table = parquet.ParquetFile(path).read()
        times = table["time"].cast("int64").to_pylist()
        for time, value in zip(times, table["value"].to_pylist()):
            rows += struct.pack("<BIf", 249, time // 1000, value)
    with open(file, "wb") as out:
        out.write(rows)


def files_of_feed_1(dataset):
    import glob

    return sorted(glob.glob(f"{dataset}/feed=1/*/*.parquet"))


def facts(dataset):
    """The order and the kinds of statistics that a reader can go by."""
    import pyarrow.parquet as parquet

    for path in files_of_feed_1(dataset):
        meta = parquet.ParquetFile(path).metadata
        groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
        columns = [group.column(i) for group in groups for i in range(group.num_columns)]
        first = lambda group: group.column(0).statistics
        is_sorted = all(
            group.sorting_columns == (parquet.SortingColumn(0, False, False),) for group in groups
        ) and all(first(a).max < first(b).min for a, b in zip(groups, groups[1:]))
        has_statistics = all(column.statistics.has_min_max for column in columns)
        print(
            path,
            *{column.compression for column in columns},
            "sorted by time" if is_sorted else "not sorted",
            "statistics" if has_statistics else "none",
            sep="\t",
        )


def example(language, code):
    if language == "sql":
        import duckdb

        db = duckdb.connect()
        db.execute("SET TimeZone = 'UTC'")
        found = db.execute(code).fetchall()
    else:
        scope = {"spark": spark_session()} if language == "spark" else {}
        *statements, last = code.strip().split("\n")
        exec("\n".join(statements), scope)
        answer = eval(last, scope)
        found = answer.collect() if language == "spark" else answer.itertuples(index=False)
    for row in sorted(tuple(row) for row in found):
        print(*row, sep="\t")


def main():
    engine, *arguments = sys.argv[1:]
    if engine == "example":
        return example(*arguments)
    if engine == "facts":
        return facts(*arguments)
    if engine == "rows":
        return write_rows(*arguments)
    if engine.startswith("stream-"):
        found = of_streams(engine, arguments[0], arguments[1:])
    else:
        find = {"duckdb": duckdb_of_files, "pyarrow": pyarrow_of_files, "spark": spark_of_files}
        found = find[engine](*arguments)
    for feed, day, *numbers in sorted(found, key=lambda row: (row[0], row[1])):
        texts = ("NULL" if number is None else repr(number) for number in numbers)
        print(int(feed), int(day), *texts, sep="\t")


main()
