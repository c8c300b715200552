/* emonfeed.h: reads emoncms feed files and backs them up.
 *
 * Do not edit: made by cbindgen from src/ffi/ and cbindgen.toml.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A feed is a MyISAM table feed_N (time, data): the file feed_N.MYD and its
 * companions. This library reads the files themselves. It needs no database
 * server, but one may be running meanwhile. Link with `pkg-config --cflags
 * --libs emonfeed`. The shortest use:
 *
 *     emonfeed_feed *feed = NULL;
 *     emonfeed_series *series = NULL;
 *     emonfeed_error *error = NULL;
 *     if (emonfeed_feed_open("feed_7.MYD", 0, &feed, &error) != EMONFEED_STATUS_OK ||
 *         emonfeed_feed_windows(feed, 1372636800, 1375315199, 86400,
 *                               EMONFEED_AVERAGE, 0, &series, &error) != EMONFEED_STATUS_OK)
 *         fprintf(stderr, "%s\n", emonfeed_error_message(error));
 *     for (size_t i = 0; i < emonfeed_series_len(series); i++)
 *         printf("%" PRId64 " %g\n", emonfeed_series_points(series)[i].time,
 *                emonfeed_series_points(series)[i].value);
 *     emonfeed_series_free(series);
 *     emonfeed_feed_free(feed);
 *     emonfeed_error_free(error);
 *
 * The rules all functions share:
 *
 * Arguments come in this order: the object, the inputs, the output (`out`), the
 * error. A function does not change an object behind a pointer to const.
 *
 * Failure. A function that can fail returns an emonfeed_status:
 * EMONFEED_STATUS_OK (0), or why it failed. It writes `*out` only on success
 * and `*error` only on failure, so set both to NULL first. `error` may be NULL
 * if the status is enough. The caller owns the error and frees it with
 * emonfeed_error_free(). The library does not keep a "last error".
 *
 * Ownership. The caller owns what a function hands over through `out` or
 * `error`, and frees it once with the _free function of its type, never with
 * free(). A backup run is ended with emonfeed_backup_close() instead. A pointer
 * to const that a function returns is lent: what it points to belongs to the
 * object it came from, and is valid as long as that object unless the function
 * says otherwise. All _free functions take NULL.
 *
 * NULL. Where a pointer is required, NULL gives EMONFEED_STATUS_ARGUMENT and a
 * message that names the parameter. Functions that cannot fail answer NULL with
 * 0, -1, false, NULL, an empty string or nothing, as each says. Any other
 * pointer must be valid: an object must come from this library and must not
 * have been freed, a string must end with a NUL, an `out` must be writable.
 *
 * Numbers. Times are whole Unix seconds unless a function says milliseconds.
 * Rows have times from 0 to 4294967295; other times are allowed as arguments,
 * but no row has them. Values are doubles, exactly what is in the file; NaN
 * means that there is no value. Constants are passed as plain integers; an
 * unknown one gives EMONFEED_STATUS_ARGUMENT.
 *
 * Text is UTF-8 and ends with a NUL. A path may hold any bytes the operating
 * system accepts.
 *
 * Threads. Any function may be called from any thread, at any time. No call
 * needs another call before it, and none starts a thread. Each type says how
 * several threads may use one object at the same time.
 *
 * Faults of this library (Rust panics) do not reach the caller. They become
 * EMONFEED_STATUS_INTERNAL, or the answer for NULL where a function cannot
 * fail, and put a note for the bug report on stderr (a longer one if the
 * environment has RUST_BACKTRACE=1). The library writes nothing else to stdout
 * or stderr.
 *
 * Signals. Feeds are read through memory mappings, and a server that truncates
 * a table makes such a read raise SIGBUS. The first mapping therefore installs
 * a SIGBUS handler for the process. It turns these signals into
 * EMONFEED_STATUS_CHANGED and passes all others on to the handler that was
 * there before. A host that does not want this opens every feed with
 * EMONFEED_OPEN_PREAD; then no handler is ever installed.
 */


#ifndef EMONFEED_H
#define EMONFEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The compiler warns if the caller ignores a status. */
#ifndef EMONFEED_MUST_USE
#if defined(__GNUC__) || defined(__clang__)
#define EMONFEED_MUST_USE __attribute__((warn_unused_result))
#else
#define EMONFEED_MUST_USE
#endif
#endif

/* Defined by Arrow's C stream interface, and so by every library that takes such a
 * stream. */
struct ArrowArrayStream;


/**
 * Version of this header, first part. Compare with `emonfeed_version()`, the
 * version of the library that the program runs with.
 */
#define EMONFEED_VERSION_MAJOR 0

/**
 * Version of this header, second part.
 */
#define EMONFEED_VERSION_MINOR 1

/**
 * Version of this header, third part.
 */
#define EMONFEED_VERSION_PATCH 0

/**
 * It worked.
 */
#define EMONFEED_STATUS_OK 0

/**
 * A fault of this library, caught before it reached the caller. Please
 * report it.
 */
#define EMONFEED_STATUS_INTERNAL 1

/**
 * An argument makes no sense: NULL, an interval of 0, edges that do not
 * ascend, an unknown flag. A mistake in the calling program.
 */
#define EMONFEED_STATUS_ARGUMENT 2

/**
 * There is no such file.
 */
#define EMONFEED_STATUS_NOT_FOUND 10

/**
 * The operating system does not let this user read or write it.
 */
#define EMONFEED_STATUS_PERMISSION 11

/**
 * The operating system failed to read or write.
 */
#define EMONFEED_STATUS_IO 12

/**
 * The path is a symbolic link where none is allowed, a directory, a pipe or
 * a device.
 */
#define EMONFEED_STATUS_NOT_REGULAR 13

/**
 * Too little memory or address space for what was asked.
 */
#define EMONFEED_STATUS_MEMORY 14

/**
 * The table's columns are not those of a feed, or the path does not end in
 * `.MYD`.
 */
#define EMONFEED_STATUS_NOT_A_FEED 20

/**
 * A column's type is one this library does not read.
 */
#define EMONFEED_STATUS_UNKNOWN_COLUMN 21

/**
 * The table belongs to another storage engine (InnoDB, Aria).
 */
#define EMONFEED_STATUS_ENGINE 22

/**
 * The table was compressed by `myisampack`.
 */
#define EMONFEED_STATUS_COMPRESSED 23

/**
 * The table has rows of variable length (`ROW_FORMAT=DYNAMIC`).
 */
#define EMONFEED_STATUS_DYNAMIC 24

/**
 * The `.MYI`, or the `.frm` or `.sdi` that names the columns, is missing; of a
 * PHPFina feed, the `.meta`.
 */
#define EMONFEED_STATUS_MISSING_DEFINITION 25

/**
 * The query needs a histogram feed, with a column `data2`.
 */
#define EMONFEED_STATUS_NO_HISTOGRAM 26

/**
 * The server marked the table as crashed: run `REPAIR TABLE` first.
 */
#define EMONFEED_STATUS_CRASHED 40

/**
 * Rows lie between row boundaries after a server crash: run `REPAIR TABLE`
 * first.
 */
#define EMONFEED_STATUS_PHASE_SHIFTED 41

/**
 * The files contradict themselves or each other.
 */
#define EMONFEED_STATUS_DAMAGED 42

/**
 * A row begins with flag bits that no row of this table can have.
 */
#define EMONFEED_STATUS_BAD_ROW 43

/**
 * The file kept changing while it was read; trying again may succeed.
 */
#define EMONFEED_STATUS_CHANGED 50

/**
 * Another program holds the lock on the file.
 */
#define EMONFEED_STATUS_LOCKED 51

/**
 * The destination is no place for a copy, or holds something that a copy
 * cannot continue from.
 */
#define EMONFEED_STATUS_DESTINATION 60

/**
 * The catalog of a backup is damaged, or cannot be written.
 */
#define EMONFEED_STATUS_CATALOG 61

/**
 * Open flag: read with `pread` rather than through a memory mapping, and
 * install no SIGBUS handler. For hosts that want no signal handler and for
 * network file systems; single look-ups are slower.
 */
#define EMONFEED_OPEN_PREAD 1

/**
 * Open flag: refuse a path whose last part is a symbolic link
 * (`EMONFEED_STATUS_NOT_REGULAR`).
 */
#define EMONFEED_OPEN_NOFOLLOW 2

/**
 * Open flag: read all rows again whenever the feed was written to. Without it,
 * rows of a table made with `CHECKSUM=1` are not read again if the table's
 * checksum and counters say that rows were only added. That misses rows that
 * were deleted and put back with the same contents in other places, and about
 * one in 8,000 edits that exchange or negate the values of two rows, if the
 * counters happen to fit. An edit of one value is noticed.
 */
#define EMONFEED_OPEN_STRICT 4

/**
 * Open flag: believe the counters in the table's `.MYI` where they say that
 * rows were only added. A table without a checksum then need not be read again
 * after each new reading. The counters do not show every edit: not one made by
 * another connection, nor one in or beside a bulk insert. Use this only for
 * feeds that nobody edits, and not together with `EMONFEED_OPEN_STRICT`.
 */
#define EMONFEED_OPEN_TRUST_COUNTERS 8

/**
 * Aggregate: the value of the earliest row of the window, NaN if that row
 * has none.
 */
#define EMONFEED_FIRST 0

/**
 * Aggregate: the value of the latest row of the window, NaN if that row has
 * none.
 */
#define EMONFEED_LAST 1

/**
 * Aggregate: the mean of the values, each row counting once.
 */
#define EMONFEED_AVERAGE 2

/**
 * Aggregate: the smallest value.
 */
#define EMONFEED_MIN 3

/**
 * Aggregate: the largest value.
 */
#define EMONFEED_MAX 4

/**
 * Aggregate: the sum of the values, kept in double precision.
 */
#define EMONFEED_SUM 5

/**
 * Aggregate: the number of rows that have a value; 0, not NaN, for an empty
 * window.
 */
#define EMONFEED_COUNT 6

/**
 * Mode: the earliest row at or after the time asked for.
 */
#define EMONFEED_NEXT 0

/**
 * Mode: the latest row at or before the time asked for.
 */
#define EMONFEED_PREVIOUS 1

/**
 * Mode: the row at the time asked for, otherwise the straight line between its
 * two neighbours. No value outside the feed, or next to a row without a value.
 */
#define EMONFEED_LINEAR 2

/**
 * Mode: only a row at exactly that second.
 */
#define EMONFEED_EXACT 3

/**
 * Window flag: a row exactly at the end of a window may answer
 * `EMONFEED_FIRST` for it, as in emoncms's MySQL engine.
 */
#define EMONFEED_CLOSED_END 1

/**
 * Flag for windows and for values at given moments: leave out those without a
 * value.
 */
#define EMONFEED_SKIP_MISSING 2

/**
 * Flag for windows and for values at given moments: if the row that answers
 * has a value, give its time instead of the moment asked for or the start of
 * the window. Computed values have no time of their own.
 */
#define EMONFEED_TRUE_TIME 4

/**
 * Window flag: leave out rows at or after the end of the whole query. This
 * cuts the last window short.
 */
#define EMONFEED_CLIP_END 8

/**
 * Times as Unix seconds.
 */
#define EMONFEED_TIME_UNIX 0

/**
 * Times as `31/01/2026 18:30:00`, as emoncms writes them for spreadsheets.
 */
#define EMONFEED_TIME_EXCEL 1

/**
 * Times as `2026-01-31T18:30:00+01:00` (ISO 8601).
 */
#define EMONFEED_TIME_ISO8601 2

/**
 * Copy flag: only find out what would be done; write nothing.
 */
#define EMONFEED_COPY_DRY_RUN 1

/**
 * Copy flag: compare every row of the copy with the source, not only the last
 * 256 KiB. This finds old readings that were edited.
 */
#define EMONFEED_COPY_FULL 2

/**
 * Outcome: the copy already held every row.
 */
#define EMONFEED_OUTCOME_UNCHANGED 0

/**
 * Outcome: the copy was made.
 */
#define EMONFEED_OUTCOME_CREATED 1

/**
 * Outcome: rows were appended, or torn rows at the end of the copy were cut
 * off.
 */
#define EMONFEED_OUTCOME_APPENDED 2

/**
 * Outcome: rows that the copy held were overwritten (`emonfeed_copy()` does
 * that only to the value of the last one), and new rows, if any, were
 * appended.
 */
#define EMONFEED_OUTCOME_PATCHED 3

/**
 * Outcome: the source had shrunk or was not the one the copy was made from.
 * The copy was made again from the start, and the old one kept under a dated
 * name.
 */
#define EMONFEED_OUTCOME_NEW_GENERATION 4

/**
 * Outcome: the feed could not be copied; the copy, if there is one, is
 * unchanged. `emonfeed_report_status()` and `emonfeed_report_message()` say
 * why.
 */
#define EMONFEED_OUTCOME_FAILED 5

/**
 * Outcome: the feed was left out because it has more bytes than the option
 * `max-size` allows.
 */
#define EMONFEED_OUTCOME_SKIPPED 6

/**
 * Outcome: the source no longer has the feed; the copy stays.
 */
#define EMONFEED_OUTCOME_SOURCE_GONE 7

/**
 * Outcome: the source no longer has the feed, and the copy and its kept old
 * states were removed because of the option `delete`.
 */
#define EMONFEED_OUTCOME_DELETED 8

/**
 * One run of the backup, which brings the copies of all feeds of a directory
 * up to date. The caller ends it with `emonfeed_backup_close()`.
 *
 * The run goes step by step. Between two steps nothing is done and no thread
 * runs, so a program can show progress there, pause, or decide to stop. What a
 * step reports is on the disk and in the catalog. A program that crashes loses
 * at most the work that was not reported, and the next run does that again.
 * From opening to closing, the destination is locked against other runs
 * (except in a dry run, which takes no lock).
 *
 * One thread at a time may use it, not necessarily the one that received it.
 * After `fork()` it belongs to the parent. In the child every function fails
 * or does nothing, and freeing the run changes nothing in the destination.
 *
 * ```c
 * emonfeed_backup *backup = NULL;
 * emonfeed_error *error = NULL;
 * const char *options[] = {"exclude=12,30-39", "keep=5", NULL};
 * bool more = false;
 * emonfeed_status status = emonfeed_backup_open("/var/lib/mysql/emoncms", "/mnt/backup",
 *                                               options, &backup, &error);
 * while (status == EMONFEED_STATUS_OK &&
 *        (status = emonfeed_backup_step(backup, &more, &error)) == EMONFEED_STATUS_OK && more)
 *     puts(emonfeed_report_message(emonfeed_backup_report(backup)));
 * emonfeed_status closed = emonfeed_backup_close(backup, NULL, status ? NULL : &error);
 * if (status || closed)
 *     fprintf(stderr, "%s\n", emonfeed_error_message(error));
 * emonfeed_error_free(error);
 * ```
 *
 * Functions: `emonfeed_backup_open()`, `emonfeed_backup_feeds()`,
 * `emonfeed_backup_step()`, `emonfeed_backup_report()`,
 * `emonfeed_backup_stop()`, `emonfeed_backup_close()`,
 * `emonfeed_backup_free()`.
 */
typedef struct emonfeed_backup emonfeed_backup;

/**
 * Why a call failed: a status, and a message for people. The caller frees it
 * with `emonfeed_error_free()`.
 *
 * One thread at a time may use it, not necessarily the one that received it.
 *
 * Functions: `emonfeed_error_status()`, `emonfeed_error_message()`,
 * `emonfeed_error_free()`.
 */
typedef struct emonfeed_error emonfeed_error;

/**
 * An open feed, for queries. The caller frees it with `emonfeed_feed_free()`.
 *
 * Each call looks at the files again, so it sees the rows written since the
 * last call and survives a table that is rebuilt. It answers from one
 * consistent view of the files. Any call can therefore fail as
 * `emonfeed_feed_open()` can. Between calls nothing is locked. The process
 * keeps the mappings of the feeds used last for its next call, whichever
 * handle that call uses.
 *
 * A call may wait up to about a second for a table that is being rebuilt
 * (`EMONFEED_STATUS_CHANGED` if that was not enough), and up to five seconds
 * for a program that holds the lock on a bare file (`EMONFEED_STATUS_LOCKED`).
 *
 * Any number of threads may use one feed at the same time. After `fork()` both
 * processes may go on using it, whatever other threads were doing at that
 * moment. Only `emonfeed_feed_free()` must not run while another call uses the
 * feed.
 *
 * Functions: `emonfeed_feed_open()`, `emonfeed_feed_open_cached()`,
 * `emonfeed_feed_meta()`, `emonfeed_feed_last()`, `emonfeed_feed_windows()`,
 * `emonfeed_feed_windows_at()`, `emonfeed_feed_values_at()`,
 * `emonfeed_feed_rows()`, `emonfeed_feed_rows_from()`,
 * `emonfeed_feed_histogram()`, `emonfeed_feed_sum_by_time()`, `emonfeed_feed_data()`,
 * `emonfeed_feed_arrow()`, `emonfeed_feed_free()`.
 */
typedef struct emonfeed_feed emonfeed_feed;

/**
 * The answer of `emonfeed_feed_histogram()`: bars, ascending in `data2`. The
 * caller frees it with `emonfeed_histogram_free()`.
 *
 * It is a copy: it does not change when the feed does, and it stays valid
 * after the feed is freed. Any number of threads may read it at the same time;
 * while `emonfeed_histogram_to_decimal()` or `emonfeed_histogram_free()` runs,
 * no other thread may use it.
 *
 * Functions: `emonfeed_histogram_len()`, `emonfeed_histogram_bins()`,
 * `emonfeed_histogram_to_decimal()`, `emonfeed_histogram_free()`. Made by:
 * `emonfeed_feed_histogram()`.
 */
typedef struct emonfeed_histogram emonfeed_histogram;

/**
 * What was done about one feed. The caller frees a report of `emonfeed_copy()`
 * with `emonfeed_report_free()`. A report of `emonfeed_backup_report()`
 * belongs to the backup, which frees it.
 *
 * It never changes, so any number of threads may read it until it is freed. If
 * there was no copy (the outcome is `EMONFEED_OUTCOME_FAILED` or a later one),
 * its numbers of rows and bytes are 0.
 *
 * Functions: `emonfeed_report_feed()`, `emonfeed_report_table()`,
 * `emonfeed_report_file()`, `emonfeed_report_outcome()`,
 * `emonfeed_report_outcome_name()`, `emonfeed_report_status()`,
 * `emonfeed_report_rows_copied()`, `emonfeed_report_rows_total()`,
 * `emonfeed_report_bytes_copied()`, `emonfeed_report_bytes_total()`,
 * `emonfeed_report_bytes_repaired()`, `emonfeed_report_bytes_overwritten()`,
 * `emonfeed_report_kept()`, `emonfeed_report_adopted()`,
 * `emonfeed_report_definition_copied()`, `emonfeed_report_dry_run()`,
 * `emonfeed_report_seconds()`, `emonfeed_report_message()`,
 * `emonfeed_report_free()`. Made by: `emonfeed_copy()`,
 * `emonfeed_backup_step()`.
 */
typedef struct emonfeed_report emonfeed_report;

/**
 * The answer of a query: points, in the order that the query promises. The
 * caller frees it with `emonfeed_series_free()`.
 *
 * It is a copy: it does not change when the feed does, and it stays valid
 * after the feed is freed. Any number of threads may read it at the same time;
 * while `emonfeed_series_to_decimal()` or `emonfeed_series_free()` runs, no
 * other thread may use it.
 *
 * Functions: `emonfeed_series_len()`, `emonfeed_series_points()`,
 * `emonfeed_series_is_single()`, `emonfeed_series_to_decimal()`,
 * `emonfeed_series_json()`, `emonfeed_series_csv()`,
 * `emonfeed_series_free()`. Made by: `emonfeed_feed_last()`,
 * `emonfeed_feed_windows()`, `emonfeed_feed_windows_at()`,
 * `emonfeed_feed_values_at()`, `emonfeed_feed_rows()`,
 * `emonfeed_feed_rows_from()`, `emonfeed_feed_sum_by_time()`,
 * `emonfeed_feed_data()`.
 */
typedef struct emonfeed_series emonfeed_series;

/**
 * A piece of UTF-8 text: JSON or CSV. The caller frees it with
 * `emonfeed_text_free()`.
 *
 * It never changes, so any number of threads may read it until it is freed.
 *
 * Functions: `emonfeed_text_data()`, `emonfeed_text_len()`,
 * `emonfeed_text_free()`. Made by: `emonfeed_series_json()`,
 * `emonfeed_series_csv()`.
 */
typedef struct emonfeed_text emonfeed_text;

/**
 * How a call ended: 0, or one of the numbers `EMONFEED_STATUS_…`.
 *
 * The numbers never change their meaning. Later versions may add some, so
 * treat one you do not know as a failure. 1 to 9 concern the caller or this
 * library, 10 to 19 the operating system, 20 to 39 what the file is, 40 to 49
 * what is wrong with it, 50 to 59 what other programs did to it meanwhile, 60
 * to 69 copying.
 */
typedef int32_t emonfeed_status;

/**
 * What is known about a feed as a whole. A plain value: nothing in it needs to
 * be freed.
 *
 * Functions: filled in by `emonfeed_feed_meta()`.
 */
typedef struct {
    /**
     * Rows that count: not deleted, committed by the server, with a time.
     */
    uint64_t npoints;
    /**
     * Time of the earliest row, in Unix seconds; 0 without rows.
     */
    int64_t start_time;
    /**
     * Time of the latest row, in Unix seconds; 0 without rows.
     */
    int64_t end_time;
    /**
     * Typical seconds between readings (the median); 0 with fewer than two
     * rows.
     */
    int64_t interval;
    /**
     * Committed bytes of the file that holds the rows.
     */
    uint64_t bytes;
    /**
     * Size in bytes of the index, the `.MYI`: that of its file, or what its
     * header says if that is more; 0 without an index.
     */
    uint64_t index_bytes;
    /**
     * Places for rows in `bytes`, deleted rows included.
     */
    uint64_t slots;
    /**
     * Bytes per place.
     */
    uint32_t stride;
    /**
     * Whether the rows lie in the file in order of time. If not, answers are
     * the same but take longer.
     */
    bool sorted;
    /**
     * Whether a `.MYI` vouches for the rows; false for a bare `.MYD`, such as
     * those of PHPTimeSeries and of backups.
     */
    bool indexed;
    /**
     * Whether the table keeps a checksum (`CHECKSUM=1`).
     */
    bool checksum;
    /**
     * Whether there is a column `data2`, that is, whether
     * `emonfeed_feed_histogram()` and `emonfeed_feed_sum_by_time()` work.
     */
    bool histogram;
    /**
     * SQL type of the column `data`: `FLOAT`, `DOUBLE`, `INT UNSIGNED`, …
     * Static text: do not free it.
     */
    const char *value_type;
} emonfeed_meta;

/**
 * How far reading rows in pieces has come: all rows before `time` were given,
 * and `given` of the rows at `time`. To begin, set `time` to the first second
 * wanted and `given` to 0. A plain value: nothing in it needs to be freed.
 *
 * Functions: read and advanced by `emonfeed_feed_rows_from()`.
 */
typedef struct {
    /**
     * Unix seconds.
     */
    int64_t time;
    /**
     * Number of rows at `time` that were given.
     */
    uint64_t given;
} emonfeed_position;

/**
 * A time and a value.
 */
typedef struct {
    /**
     * Whole Unix seconds; in answers of `emonfeed_feed_data()` milliseconds.
     */
    int64_t time;
    /**
     * The value, in whatever unit the feed records. NaN if there is none.
     */
    double value;
} emonfeed_point;

/**
 * The offset of a time zone from UTC, from some moment on.
 */
typedef struct {
    /**
     * That moment, in Unix seconds.
     */
    int64_t from;
    /**
     * Seconds east of UTC.
     */
    int32_t seconds;
} emonfeed_offset;

/**
 * How lines of CSV look. A plain value. What it points to stays the caller's
 * and is needed only during the call.
 *
 * Functions: taken by `emonfeed_series_csv()`.
 */
typedef struct {
    /**
     * Text between time and value; NULL for `,`.
     */
    const char *separator;
    /**
     * The decimal point; NULL for `.`.
     */
    const char *point;
    /**
     * Text written instead of a missing value; NULL for nothing.
     */
    const char *missing;
    /**
     * Digits after the decimal point, up to 22, rounded half away from zero.
     * Negative for the shortest text that reads back as the same number.
     */
    int32_t decimals;
    /**
     * One of `EMONFEED_TIME_UNIX`, `EMONFEED_TIME_EXCEL` and
     * `EMONFEED_TIME_ISO8601`.
     */
    int32_t time;
    /**
     * The time zone's offsets, ascending in `from`. Each holds from its `from`
     * on, the first also before. NULL for UTC. `EMONFEED_TIME_UNIX` needs
     * none.
     */
    const emonfeed_offset *offsets;
    /**
     * Number of `offsets`.
     */
    size_t n_offsets;
} emonfeed_csv;

/**
 * One bar of a histogram.
 */
typedef struct {
    /**
     * The value of the column `data2` that the bar stands for.
     */
    double data2;
    /**
     * The sum of the column `data` over the bar's rows. NaN if none of them
     * has a value.
     */
    double sum;
} emonfeed_bin;

/**
 * What a run did. A plain value: nothing in it needs to be freed.
 *
 * Functions: filled in by `emonfeed_backup_close()`.
 */
typedef struct {
    /**
     * Feeds in the source that were asked for. Unless the run was stopped, the
     * counts below add up to this, except for `source_gone` and `deleted`,
     * which count feeds that the source no longer has.
     */
    uint64_t feeds;
    /**
     * Copies that already held every row.
     */
    uint64_t unchanged;
    /**
     * Copies that were made.
     */
    uint64_t created;
    /**
     * Copies that rows were appended to.
     */
    uint64_t appended;
    /**
     * Copies in which rows were overwritten.
     */
    uint64_t patched;
    /**
     * Copies that were made again from the start, the old one being kept.
     */
    uint64_t new_generation;
    /**
     * Feeds that could not be copied.
     */
    uint64_t failed;
    /**
     * Feeds that were left out because they are too large.
     */
    uint64_t skipped;
    /**
     * Copies whose source is gone, and that stayed.
     */
    uint64_t source_gone;
    /**
     * Copies that were removed because their source is gone.
     */
    uint64_t deleted;
    /**
     * Rows written.
     */
    uint64_t rows_copied;
    /**
     * Bytes of the rows written, overwritten ones included.
     */
    uint64_t bytes_copied;
    /**
     * How long the run was open, in seconds.
     */
    double seconds;
    /**
     * Whether the run was closed or stopped before all feeds were looked at.
     */
    bool stopped;
    /**
     * Whether every feed that was asked for is copied: none failed, the run
     * was not stopped, and everything due for removal was removed. Skipped
     * feeds do not count against it.
     */
    bool complete;
    /**
     * Why copies that were due for removal were not removed, in one sentence
     * of UTF-8 for people; otherwise an empty string.
     */
    char not_deleted[256];
} emonfeed_summary;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library, such as `"0.1.0"`. Static text: do not free it.
 */
const char *emonfeed_version(void);

/**
 * The status of an error, the same that the failed call returned.
 * `EMONFEED_STATUS_OK` if `error` is NULL.
 */
emonfeed_status emonfeed_error_status(const emonfeed_error *error);

/**
 * What went wrong, where, and what to do: one line of UTF-8 that names the
 * file and, where it helps, the byte offset in it. (Bytes of a path that are
 * not UTF-8 are shown as U+FFFD.) An empty string if `error` is NULL; never
 * NULL.
 *
 * Do not free it: it belongs to the error and is valid as long as the error.
 */
const char *emonfeed_error_message(const emonfeed_error *error);

/**
 * Frees an error. NULL is fine.
 */
void emonfeed_error_free(emonfeed_error *error);

/**
 * Opens the feed whose rows are in the file `path`.
 *
 * `path` is the `.MYD`, such as `/var/lib/mysql/emoncms/feed_7.MYD`, as the
 * operating system takes it: any bytes, ended by a NUL, not necessarily UTF-8.
 * If a `.MYI` lies beside it, that says which rows are committed, and the
 * `.frm` or `.sdi` says what the columns are. Otherwise the file is read as
 * the bare nine-byte rows of PHPTimeSeries. `flags` is 0 or `EMONFEED_OPEN_…`
 * flags combined with `|`.
 *
 * `*out` becomes a feed, which the caller frees with `emonfeed_feed_free()`.
 * The call fails if the file is missing, may not be read, or is not a feed
 * that this library can read: any status from `EMONFEED_STATUS_NOT_FOUND` to
 * `EMONFEED_STATUS_CHANGED`.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_feed_open(const char *path,
                                   uint32_t flags,
                                   emonfeed_feed **out,
                                   emonfeed_error **error);

/**
 * Like `emonfeed_feed_open()`, but also keeps what it learns about the feed's
 * rows in a file in the directory `cache_dir`, so that the next process need
 * not read all rows again. On a memory card that saves seconds.
 *
 * This helps feeds that have not been written to since, tables with
 * `CHECKSUM=1`, and other tables with `EMONFEED_OPEN_TRUST_COUNTERS`. If a
 * feed was written to and nothing proves how, all its rows are read. The file
 * takes about a thirtieth of the rows' bytes. A file that does not fit the
 * feed or is damaged is made again, and any file may be deleted at any time.
 * Feeds below 16,384 rows have no file; they are simply read.
 *
 * `cache_dir` is made if it is missing. It must belong to this user or root
 * and be writable by nobody else, because its contents decide answers;
 * otherwise the call fails with `EMONFEED_STATUS_PERMISSION`. If `cache_dir`
 * is NULL, this is `emonfeed_feed_open()`.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_feed_open_cached(const char *path,
                                          uint32_t flags,
                                          const char *cache_dir,
                                          emonfeed_feed **out,
                                          emonfeed_error **error);

/**
 * Frees a feed. Series, histograms and errors that came from it stay valid.
 * NULL is fine.
 */
void emonfeed_feed_free(emonfeed_feed *feed);

/**
 * What is known about the feed as a whole. Fills in `*out`.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_feed_meta(const emonfeed_feed *feed,
                                   emonfeed_meta *out,
                                   emonfeed_error **error);

/**
 * The latest row, the last one in the file if several have that time.
 *
 * `*out` becomes a series of one point, or of none if the feed has no rows,
 * which the caller frees with `emonfeed_series_free()`. The point's value is
 * NaN if the row has none.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_feed_last(const emonfeed_feed *feed,
                                   emonfeed_series **out,
                                   emonfeed_error **error);

/**
 * One value for each of the windows `[start, start + interval)`,
 * `[start + interval, start + 2 * interval)`, … that begin at or before `end`,
 * as for a graph.
 *
 * `start` and `end` are Unix seconds, `interval` is in seconds. `aggregate` is
 * one of `EMONFEED_FIRST` to `EMONFEED_COUNT` and says how the rows of a
 * window become one value. Rows without a value are left out, except that
 * `EMONFEED_FIRST` and `EMONFEED_LAST` may choose one. `flags` is 0 or
 * `EMONFEED_CLOSED_END`, `EMONFEED_SKIP_MISSING`, `EMONFEED_TRUE_TIME` and
 * `EMONFEED_CLIP_END` combined with `|`.
 *
 * `*out` becomes a series of one point per window (fewer with
 * `EMONFEED_SKIP_MISSING`), ascending, which the caller frees with
 * `emonfeed_series_free()`. A point's time is the start of its window, or with
 * `EMONFEED_TRUE_TIME` that of the row that answers; its value is NaN if the
 * window has none. If `end` is before `start` there are no points. An interval
 * below 1, or more than 10 million windows, gives `EMONFEED_STATUS_ARGUMENT`.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_feed_windows(const emonfeed_feed *feed,
                                      int64_t start,
                                      int64_t end,
                                      int64_t interval,
                                      int32_t aggregate,
                                      uint32_t flags,
                                      emonfeed_series **out,
                                      emonfeed_error **error);

/**
 * Like `emonfeed_feed_windows()`, for windows of any length, such as calendar
 * days: `[edges[0], edges[1])`, `[edges[1], edges[2])`, …
 *
 * `edges` holds `n` Unix seconds, each greater than the one before; it may be
 * NULL if `n` is 0. `aggregate` and `flags` are those of
 * `emonfeed_feed_windows()`.
 *
 * `*out` becomes a series of `n - 1` points (none if `n` is 0; fewer with
 * `EMONFEED_SKIP_MISSING`), which the caller frees with
 * `emonfeed_series_free()`. Edges that do not ascend, or more than 10 million
 * windows, give `EMONFEED_STATUS_ARGUMENT`.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_feed_windows_at(const emonfeed_feed *feed,
                                         const int64_t *edges,
                                         size_t n,
                                         int32_t aggregate,
                                         uint32_t flags,
                                         emonfeed_series **out,
                                         emonfeed_error **error);

/**
 * The value at each of `n` moments.
 *
 * `times` holds `n` Unix seconds in any order; it may be NULL if `n` is 0.
 * `mode` is one of `EMONFEED_NEXT`, `EMONFEED_PREVIOUS`, `EMONFEED_LINEAR` and
 * `EMONFEED_EXACT` and says which row answers. `flags` is 0 or
 * `EMONFEED_SKIP_MISSING` and `EMONFEED_TRUE_TIME` combined with `|`.
 *
 * `*out` becomes a series of `n` points (fewer with `EMONFEED_SKIP_MISSING`)
 * in the order of `times`, which the caller frees with
 * `emonfeed_series_free()`. A point's time is the one asked for, or with
 * `EMONFEED_TRUE_TIME` that of the row that answers. Its value is NaN if there
 * is no such row or the row has no value.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_feed_values_at(const emonfeed_feed *feed,
                                        const int64_t *times,
                                        size_t n,
                                        int32_t mode,
                                        uint32_t flags,
                                        emonfeed_series **out,
                                        emonfeed_error **error);

/**
 * All rows with `start <= time <= end`, as they were recorded.
 *
 * `start` and `end` are Unix seconds. `limit` is the greatest number of rows
 * to give; 0 means all.
 *
 * `*out` becomes a series of one point per row, ascending in time (rows with
 * the same time in file order), which the caller frees with
 * `emonfeed_series_free()`. A value is NaN if the row has none.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_feed_rows(const emonfeed_feed *feed,
                                   int64_t start,
                                   int64_t end,
                                   uint64_t limit,
                                   emonfeed_series **out,
                                   emonfeed_error **error);

/**
 * The next rows from `*position` on with `time <= end`, in the order of
 * `emonfeed_feed_rows()`. Reading a feed of any size in this way takes little
 * memory.
 *
 * `end` is in Unix seconds. `limit` is the greatest number of rows to give; 0
 * means all. If fewer than `limit` come, there are no more.
 *
 * `*out` becomes a series, which the caller frees with
 * `emonfeed_series_free()`; `*position` moves behind its last row. On failure
 * both stay as they are. Rows appended between calls are included. If rows
 * that were given no longer exist, because the feed was cleared meanwhile, the
 * call fails with `EMONFEED_STATUS_CHANGED`.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_feed_rows_from(const emonfeed_feed *feed,
                                        emonfeed_position *position,
                                        int64_t end,
                                        uint64_t limit,
                                        emonfeed_series **out,
                                        emonfeed_error **error);

/**
 * For histogram feeds (columns `time`, `data`, `data2`): the sum of `data`
 * over the rows with `start <= time < end`, for each value of `data2`.
 *
 * `start` and `end` are Unix seconds.
 *
 * `*out` becomes a histogram, ascending in `data2`, which the caller frees
 * with `emonfeed_histogram_free()`. Rows without `data2` belong to no bar. A
 * feed without the column `data2` gives `EMONFEED_STATUS_NO_HISTOGRAM`.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_feed_histogram(const emonfeed_feed *feed,
                                        int64_t start,
                                        int64_t end,
                                        emonfeed_histogram **out,
                                        emonfeed_error **error);

/**
 * For histogram feeds: the sum of `data` over the rows with
 * `min <= data2 <= max`, for each time.
 *
 * `*out` becomes a series, ascending in time, which the caller frees with
 * `emonfeed_series_free()`. A sum is NaN if none of its rows has a value. A
 * feed without `data2` gives `EMONFEED_STATUS_NO_HISTOGRAM`, a bound that is
 * NaN gives `EMONFEED_STATUS_ARGUMENT`.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_feed_sum_by_time(const emonfeed_feed *feed,
                                          double min,
                                          double max,
                                          emonfeed_series **out,
                                          emonfeed_error **error);

/**
 * `get_feed_data` of July 2013, the call that emoncms's graphs were drawn
 * from.
 *
 * `start_ms` and `end_ms` are Unix milliseconds; an `end_ms` of 0 means now.
 * `dp` is the number of points wanted. The answer depends on the seconds
 * between start and end, here `range`:
 *
 * - beyond 180000 s: the first row of each of `dp` equal parts;
 * - beyond 5000 s: averages over `range / dp` seconds (whole seconds, at least
 *   1), aligned to the epoch;
 * - otherwise, or if `dp` is 0 or less: all rows, **newest first**.
 *
 * Points without a value are left out. A start or end that is not finite, or a
 * `dp` above 10 million, gives `EMONFEED_STATUS_ARGUMENT`.
 *
 * `*out` becomes a series whose times are **milliseconds**, which the caller
 * frees with `emonfeed_series_free()`.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_feed_data(const emonfeed_feed *feed,
                                   double start_ms,
                                   double end_ms,
                                   int64_t dp,
                                   emonfeed_series **out,
                                   emonfeed_error **error);

/**
 * Number of points. 0 if `series` is NULL.
 */
size_t emonfeed_series_len(const emonfeed_series *series);

/**
 * The points, an array of `emonfeed_series_len()` elements. NULL if there are
 * none or `series` is NULL.
 *
 * Do not free it: it belongs to the series and is valid as long as the series.
 */
const emonfeed_point *emonfeed_series_points(const emonfeed_series *series);

/**
 * Whether the values are rows' float32 values, widened to double: a reading
 * of 0.1 is then 0.10000000149011612. False for values that were computed,
 * for columns of other types, and if `series` is NULL.
 */
bool emonfeed_series_is_single(const emonfeed_series *series);

/**
 * Changes each float32 value of the series, in place, to the double nearest
 * to the shortest decimal that reads back as that float32: 0.1 instead of
 * 0.10000000149011612. For programs that print values or pass them on as
 * text.
 *
 * Afterwards `emonfeed_series_is_single()` is false. Does nothing if it was
 * false already, or if `series` is NULL.
 */
void emonfeed_series_to_decimal(emonfeed_series *series);

/**
 * The series as JSON: `[[time,value],…]`, in one line without spaces. A
 * missing or infinite value is `null`; a series without points is `[]`.
 *
 * Numbers are written as PHP's `json_encode` does: `3` rather than `3.0`,
 * `0.1` rather than `0.10000000149011612` for a float32 (whether or not
 * `emonfeed_series_to_decimal()` was called before).
 *
 * `*out` becomes a text, which the caller frees with `emonfeed_text_free()`.
 * Fails with `EMONFEED_STATUS_ARGUMENT` if `series` or `out` is NULL, and with
 * `EMONFEED_STATUS_MEMORY` if the text does not fit into memory.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_series_json(const emonfeed_series *series,
                                     emonfeed_text **out,
                                     emonfeed_error **error);

/**
 * The series as CSV: one line per point, with its time and its value, ended by
 * `\n`.
 *
 * `csv` says how lines look. NULL means `time,value` with Unix seconds, all
 * digits, and nothing after the comma where there is no value. Values are
 * written as in JSON, float32 values with their own digits; an infinite value
 * counts as missing.
 *
 * `*out` becomes a text, which the caller frees with `emonfeed_text_free()`.
 * Fails with `EMONFEED_STATUS_ARGUMENT` if `series` or `out` is NULL or `csv`
 * breaks the rules of its type, and with `EMONFEED_STATUS_MEMORY` if the text
 * does not fit into memory.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_series_csv(const emonfeed_series *series,
                                    const emonfeed_csv *csv,
                                    emonfeed_text **out,
                                    emonfeed_error **error);

/**
 * Frees a series, and with it the points it lent. NULL is fine.
 */
void emonfeed_series_free(emonfeed_series *series);

/**
 * Number of bars. 0 if `histogram` is NULL.
 */
size_t emonfeed_histogram_len(const emonfeed_histogram *histogram);

/**
 * The bars, an array of `emonfeed_histogram_len()` elements. NULL if there are
 * none or `histogram` is NULL.
 *
 * Do not free it: it belongs to the histogram and is valid as long as the
 * histogram.
 */
const emonfeed_bin *emonfeed_histogram_bins(const emonfeed_histogram *histogram);

/**
 * If `data2` is a column of float32 values, changes each `data2` in place to
 * the double nearest to its shortest decimal, as
 * `emonfeed_series_to_decimal()` does with values. Sums stay as they are. Does
 * nothing if `histogram` is NULL.
 */
void emonfeed_histogram_to_decimal(emonfeed_histogram *histogram);

/**
 * Frees a histogram, and with it the bars it lent. NULL is fine.
 */
void emonfeed_histogram_free(emonfeed_histogram *histogram);

/**
 * All rows with `start <= time <= end` as an Arrow C stream, for engines and
 * languages that take one (DuckDB, pyarrow, Polars, R, …). They read the feed
 * without a copy of it on the disk, and this library need not know them.
 *
 * `start` and `end` are Unix seconds. `batch` is the greatest number of rows
 * in one batch; 0 means 65536. No more than one batch is copied at a time.
 *
 * `*out` is a `struct ArrowArrayStream` of the caller, as Arrow's C stream
 * interface defines it; its old contents are overwritten. The stream's columns
 * are `time` (timestamp of seconds, UTC, never null) and `value` (float32, or
 * float64 if the column is not FLOAT; null where the row has none), and for a
 * histogram feed also `data2`. Rows ascend in time; rows with the same time
 * are in file order. The caller ends the stream with its `release`, and may
 * free the feed before that.
 *
 * Each batch is read from the rows as they are at that moment, so it includes
 * rows appended meanwhile. If `get_next` fails it returns an `errno` (`ENOMEM`
 * or `EIO`), and `get_last_error` says what is wrong. It fails, for example,
 * if the feed was cleared or the table's columns changed. One thread at a time
 * may use a stream.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_feed_arrow(const emonfeed_feed *feed,
                                    int64_t start,
                                    int64_t end,
                                    uint64_t batch,
                                    struct ArrowArrayStream *out,
                                    emonfeed_error **error);

/**
 * The text, with a NUL after its last byte. NULL if `text` is NULL.
 *
 * Do not free it: it belongs to `text` and is valid as long as `text`.
 */
const char *emonfeed_text_data(const emonfeed_text *text);

/**
 * Number of bytes in the text, without the NUL. 0 if `text` is NULL.
 */
size_t emonfeed_text_len(const emonfeed_text *text);

/**
 * Frees a text. NULL is fine.
 */
void emonfeed_text_free(emonfeed_text *text);

/**
 * Brings the copy of one feed up to date.
 *
 * `source` is the file of the feed's rows, such as
 * `/var/lib/mysql/emoncms/feed_7.MYD`. `destination` is the path of the copy,
 * whose name ends in `.MYD`, or an existing directory, where the copy gets the
 * source's name. Neither file may be a symbolic link, a pipe or a device, nor
 * may the files beside it that belong to it. Links to directories are
 * followed, both on the way to the files and as `destination`. `flags` is 0 or
 * `EMONFEED_COPY_…` flags combined with `|`.
 *
 * Only whole rows that the server has committed are copied, and each is
 * checked. What the copy holds is not copied again: its last rows are compared
 * with the source, torn rows at its end are cut off, and new rows are
 * appended. The new rows are on the disk when this returns. If a source shrank
 * or was rewritten, it is copied again from the start, and the old copy is
 * kept beside it under a dated name. The table's definition (`.frm` or `.sdi`)
 * is copied too, the index (`.MYI`) never.
 *
 * `*out` becomes a report, which the caller frees with
 * `emonfeed_report_free()`. If the copy fails, what was there before is still
 * there. The status is `EMONFEED_STATUS_DESTINATION` if the destination is no
 * place for a copy, `EMONFEED_STATUS_LOCKED` if another copy is writing it,
 * `EMONFEED_STATUS_CHANGED` if the source was rewritten during every attempt,
 * `EMONFEED_STATUS_IO` for a full disk, otherwise whatever is wrong with the
 * source, as `emonfeed_feed_open()` reports it.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_copy(const char *source,
                              const char *destination,
                              uint32_t flags,
                              emonfeed_report **out,
                              emonfeed_error **error);

/**
 * Begins a run that brings the copies of the feeds in the directory `source`
 * up to date in the directory `destination`.
 *
 * `source` is the directory of a database of the server, such as
 * `/var/lib/mysql/emoncms`, or one of PHPTimeSeries or PHPFina. `destination`
 * is made if it does not exist. It holds a plain file of rows per feed, which
 * every function here can read (except the `.dat` of a PHPFina feed), and a
 * catalog of what is in these files. Relative paths count from the program's
 * working directory, which must stay the same as long as the run is open.
 *
 * `options` is NULL, or an array of strings `name=value` that ends with NULL:
 * the options of the command `emonfeed backup`, listed here with their
 * defaults in parentheses. For an option that is on or off, the name alone is
 * the same as `name=1`.
 *
 * - `prefix=TEXT`: what the names of feed tables begin with (`feed_`)
 * - `only=FEEDS`, `exclude=FEEDS`: only these feeds, or all but these.
 *   `FEEDS` is one or several of `7`, `1-50`, `feed_7`, with `*` and `?` as in
 *   a shell, separated by commas. If given repeatedly, they add up. A feed in
 *   `exclude` is left out even if it is in `only`.
 * - `dry-run`: only find out what would be done; write nothing
 * - `recheck=1/30`, `all` or `none`: how much of the copies is compared with
 *   the source besides their ends: another thirtieth on each run (the
 *   default), everything, or nothing
 * - `keep=N`: how many old states of each feed are kept (3)
 * - `delete`: remove the copies of feeds that the source no longer has;
 *   `max-delete=N`: remove none if there are more than N (10)
 * - `bwlimit=RATE`: the most bytes to write per second; `max-size=SIZE`: leave
 *   out feeds with more bytes. Both are a number, or one with `k`, `M` or `G`
 *   behind it, for a thousand, a million or a thousand millions
 * - `same-device`: allow a destination on the disk of the source;
 *   `require-mount`: refuse one on the disk of the root directory, or below a
 *   directory whose disk in `/etc/fstab` is not mounted; `trust-owner`: allow
 *   one that belongs to another user
 *
 * `*out` becomes a run, which the caller ends with `emonfeed_backup_close()`.
 * If the run cannot begin, the status is `EMONFEED_STATUS_LOCKED` if another
 * run is at work in this destination, `EMONFEED_STATUS_DESTINATION` if that is
 * no place for copies, `EMONFEED_STATUS_CATALOG` if its catalog cannot be
 * used, `EMONFEED_STATUS_NOT_FOUND` if there is no such directory or it has
 * none of the feeds asked for, or `EMONFEED_STATUS_ARGUMENT` for an unknown
 * option or a value that an option cannot have.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_backup_open(const char *source,
                                     const char *destination,
                                     const char *const *options,
                                     emonfeed_backup **out,
                                     emonfeed_error **error);

/**
 * Number of feeds to look at. It can grow in the last steps, if feeds were
 * added meanwhile. 0 if `backup` is NULL.
 */
uint64_t emonfeed_backup_feeds(const emonfeed_backup *backup);

/**
 * Works until there is a feed to report.
 *
 * `*out` becomes `true` if there is one. `emonfeed_backup_report()` then
 * returns its report, and what that says is on the disk and in the catalog.
 * `*out` becomes `false` when everything is done; then only
 * `emonfeed_backup_close()` is left. Feeds are reported in the order of their
 * numbers, except that some may have to wait for others: many are put on the
 * disk together, about every two seconds, and one step may do the work for all
 * of them.
 *
 * A feed that cannot be copied does not make the step fail: its report has
 * `EMONFEED_OUTCOME_FAILED`, and the other feeds follow. The step fails if
 * nothing more can be written, for example because the disk is full
 * (`EMONFEED_STATUS_IO`, `EMONFEED_STATUS_CATALOG`). Then everything reported
 * so far holds, nothing else will be copied, and the run must still be closed.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_backup_step(emonfeed_backup *backup,
                                     bool *out,
                                     emonfeed_error **error);

/**
 * The report of the last step. NULL before the first step, when everything is
 * done, after a step that failed, or if `backup` is NULL.
 *
 * Do not free it: it belongs to the backup and is valid until its next step or
 * its end.
 */
const emonfeed_report *emonfeed_backup_report(const emonfeed_backup *backup);

/**
 * Stops looking at further feeds. The steps that follow report the feeds that
 * were already looked at. NULL is fine.
 */
void emonfeed_backup_stop(emonfeed_backup *backup);

/**
 * Ends the run and frees it, at any time: commits what was copied, reported or
 * not, records how the run went, and unlocks the destination. NULL is fine and
 * gives a summary of zeros.
 *
 * `*out` becomes the summary; here `out` may be NULL if nobody wants it. The
 * backup is freed even if the call fails. The call fails if not everything
 * could be written (`EMONFEED_STATUS_IO`, `EMONFEED_STATUS_CATALOG`); then
 * what was not reported may not be copied, and the next run will copy it.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_backup_close(emonfeed_backup *backup,
                                      emonfeed_summary *out,
                                      emonfeed_error **error);

/**
 * Frees a run without closing it, as if the program had crashed. What was
 * reported holds, what was not reported is lost, and if anything was written
 * for good, the next run is told that this one was cut short. It cannot fail
 * and waits for nothing. NULL is fine.
 */
void emonfeed_backup_free(emonfeed_backup *backup);

/**
 * The number of the feed as in its table's name: `7` of `feed_7`. (It may have
 * more digits than fit into an integer.) An empty string for a report of
 * `emonfeed_copy()`, or if `report` is NULL; never NULL.
 *
 * Do not free it: it belongs to the report and is valid as long as the report.
 */
const char *emonfeed_report_feed(const emonfeed_report *report);

/**
 * The name of the feed's table, such as `feed_7`; for a PHPFina feed its
 * number. An empty string for a report of `emonfeed_copy()`, or if `report` is
 * NULL; never NULL.
 *
 * Do not free it: it belongs to the report and is valid as long as the report.
 */
const char *emonfeed_report_table(const emonfeed_report *report);

/**
 * The name of the file of the feed's rows, and also of its copy: `feed_7.MYD`,
 * or `7.dat` for a PHPFina feed. An empty string for a report of
 * `emonfeed_copy()`, or if `report` is NULL; never NULL.
 *
 * Do not free it: it belongs to the report and is valid as long as the report.
 */
const char *emonfeed_report_file(const emonfeed_report *report);

/**
 * What became of the copy: one of `EMONFEED_OUTCOME_…`. -1 if `report` is
 * NULL.
 */
int32_t emonfeed_report_outcome(const emonfeed_report *report);

/**
 * What became of the copy, in one word: `unchanged`, `created`, `appended`,
 * `patched`, `new-generation`, `failed`, `skipped`, `source-gone` or
 * `deleted`. An empty string if `report` is NULL; never NULL.
 *
 * Do not free it: it belongs to the report and is valid as long as the report.
 */
const char *emonfeed_report_outcome_name(const emonfeed_report *report);

/**
 * Why the feed could not be copied: one of `EMONFEED_STATUS_…`.
 * `EMONFEED_STATUS_OK` if the outcome is not `EMONFEED_OUTCOME_FAILED`, or if
 * `report` is NULL.
 */
emonfeed_status emonfeed_report_status(const emonfeed_report *report);

/**
 * Number of rows written after those that the copy held. (`emonfeed_copy()`
 * also counts a rewritten last row.) 0 if `report` is NULL.
 */
uint64_t emonfeed_report_rows_copied(const emonfeed_report *report);

/**
 * Number of rows in the copy now, deleted ones included. 0 if `report` is
 * NULL.
 */
uint64_t emonfeed_report_rows_total(const emonfeed_report *report);

/**
 * Bytes of the rows that `emonfeed_report_rows_copied()` counts. 0 if `report`
 * is NULL.
 */
uint64_t emonfeed_report_bytes_copied(const emonfeed_report *report);

/**
 * Bytes of the copy now. 0 if `report` is NULL.
 */
uint64_t emonfeed_report_bytes_total(const emonfeed_report *report);

/**
 * Bytes cut off the end of the copy: a torn row, or zeros that a power cut
 * left in the place of rows. 0 if `report` is NULL.
 */
uint64_t emonfeed_report_bytes_repaired(const emonfeed_report *report);

/**
 * Bytes of rows in the copy that were overwritten because the source has
 * others there: readings were edited, or the copy was damaged. 0 for a report
 * of `emonfeed_copy()`, or if `report` is NULL.
 */
uint64_t emonfeed_report_bytes_overwritten(const emonfeed_report *report);

/**
 * The path under which the old copy was kept. NULL if none was, or if `report`
 * is NULL.
 *
 * Do not free it: it belongs to the report and is valid as long as the report.
 */
const char *emonfeed_report_kept(const emonfeed_report *report);

/**
 * Whether the copy existed before the destination had a catalog (perhaps made
 * by another program): all of it was compared with the source, and it was
 * taken over. `false` if `report` is NULL.
 */
bool emonfeed_report_adopted(const emonfeed_report *report);

/**
 * Whether the table's definition was copied too. `false` if `report` is NULL.
 */
bool emonfeed_report_definition_copied(const emonfeed_report *report);

/**
 * Whether nothing was written, because of `EMONFEED_COPY_DRY_RUN` or the
 * option `dry-run`. The report then says what would be done. `false` if
 * `report` is NULL.
 */
bool emonfeed_report_dry_run(const emonfeed_report *report);

/**
 * How many seconds the feed took, without its share of the work that a run
 * does for many feeds at a time. 0 if `report` is NULL.
 */
double emonfeed_report_seconds(const emonfeed_report *report);

/**
 * What was done, or why nothing could be done, in one sentence of UTF-8 for
 * people. An empty string if `report` is NULL; never NULL.
 *
 * Do not free it: it belongs to the report and is valid as long as the report.
 */
const char *emonfeed_report_message(const emonfeed_report *report);

/**
 * Frees a report of `emonfeed_copy()`. Do not free one of
 * `emonfeed_backup_report()`. NULL is fine.
 */
void emonfeed_report_free(emonfeed_report *report);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* EMONFEED_H */
