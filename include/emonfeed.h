/* emonfeed.h: reads emoncms feed files and backs them up.
 *
 * Do not edit: made by cbindgen from src/ffi/ and cbindgen.toml.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A feed is a MyISAM table feed_N (time, data): the file feed_N.MYD and its
 * companions. This library reads the files themselves; no database server is
 * asked, and it may run meanwhile. Link with `pkg-config --cflags --libs
 * emonfeed`. The shortest use:
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
 * Arguments come in one order: the object, what goes in, what comes out
 * (`out`), the error. An object behind a pointer to const is not changed.
 *
 * Failure. A function that can fail returns an emonfeed_status:
 * EMONFEED_STATUS_OK (0) or why not. `*out` is written on success only,
 * `*error` on failure only, so begin with both NULL. `error` may be NULL if
 * the status is enough. An error is yours: free it with emonfeed_error_free().
 * There is no "last error" kept anywhere.
 *
 * Ownership. What a function hands over through `out` or `error` is yours;
 * give it back to the _free function of its type, once, and not to free().
 * What a function returns as a pointer to const is lent: it belongs to the
 * object it was asked of and lives as long. All _free functions take NULL.
 * One object is to be ended rather than freed: emonfeed_backup_close().
 *
 * NULL. Where a pointer is needed, NULL is EMONFEED_STATUS_ARGUMENT with a
 * message that names the parameter. Functions that cannot fail answer NULL
 * with 0, false, NULL or nothing, as each says. Any other pointer must be
 * valid: an object must have come from this library and not have been freed,
 * a string must end with a NUL, an `out` must be writable.
 *
 * Numbers. Times are whole Unix seconds unless a function says milliseconds;
 * rows have times from 0 to 4294967295, other times are allowed and meet no
 * row. Values are doubles, exactly what is in the file; NaN means that there
 * is no value. Constants are passed as plain integers; unknown ones are
 * EMONFEED_STATUS_ARGUMENT.
 *
 * Text is UTF-8 and ends with a NUL. Paths are whatever bytes the operating
 * system takes.
 *
 * Threads. Any function may be called from any thread, at any time; no call
 * needs a call before it and none starts a thread. What may be done with one
 * object at the same time is said at its type.
 *
 * Faults of this library (Rust panics) do not get out of it: they become
 * EMONFEED_STATUS_INTERNAL, or the answer for NULL where a function cannot
 * fail, and a note on stderr for the bug report (a longer one if the
 * environment has RUST_BACKTRACE=1). Nothing else is written to stdout or
 * stderr.
 *
 * Signals. Feeds are read through memory mappings, and a server that truncates
 * a table makes such a read raise SIGBUS. The first mapping therefore installs
 * a SIGBUS handler for the process: it turns these signals into
 * EMONFEED_STATUS_CHANGED and passes all others on to the handler that was
 * there before. A host that does not want this opens its feeds with
 * EMONFEED_OPEN_PREAD: then no handler is ever installed.
 */


#ifndef EMONFEED_H
#define EMONFEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The compiler warns if a status is not looked at. */
#ifndef EMONFEED_MUST_USE
#if defined(__GNUC__) || defined(__clang__)
#define EMONFEED_MUST_USE __attribute__((warn_unused_result))
#else
#define EMONFEED_MUST_USE
#endif
#endif

/* Defined by Arrow's C stream interface, and so by every library that takes one. */
struct ArrowArrayStream;


/**
 * Version of this header, first part. Compare with `emonfeed_version()`,
 * which is that of the library the program runs with.
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
 * The table's columns are not those of a feed.
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
 * The `.MYI`, or the `.frm` or `.sdi` that names the columns, is missing.
 */
#define EMONFEED_STATUS_MISSING_DEFINITION 25

/**
 * The query needs a histogram feed, with a column `data2`.
 */
#define EMONFEED_STATUS_NO_HISTOGRAM 26

/**
 * The server marked the table as crashed: `REPAIR TABLE` first.
 */
#define EMONFEED_STATUS_CRASHED 40

/**
 * Rows lie between row boundaries after a server crash: `REPAIR TABLE`
 * first.
 */
#define EMONFEED_STATUS_PHASE_SHIFTED 41

/**
 * The files contradict themselves or each other.
 */
#define EMONFEED_STATUS_DAMAGED 42

/**
 * A row begins with flag bits no row of this table can have.
 */
#define EMONFEED_STATUS_BAD_ROW 43

/**
 * The file kept changing while it was read; asking again may succeed.
 */
#define EMONFEED_STATUS_CHANGED 50

/**
 * Another program holds the lock on the file.
 */
#define EMONFEED_STATUS_LOCKED 51

/**
 * The destination of a copy holds what cannot be carried on.
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
 * Open flag: read all rows again whenever the feed was written to. Without
 * it, rows of a table made with `CHECKSUM=1` are not read again if the
 * table's checksum and counters say that they only were added to. That would
 * miss rows that were deleted and put back with the same contents in other
 * places, and about one in 8,000 edits that exchange or negate the values of
 * two rows, where the counters happen to fit. An edit of one value
 * is noticed.
 */
#define EMONFEED_OPEN_STRICT 4

/**
 * Open flag: believe the counters in the table's `.MYI` where they say that
 * rows were only added, so that a table without checksum need not be read
 * again after each reading that comes in. They do not tell of every edit: not
 * of one by another connection, nor of one in or beside a bulk insert. Only
 * for feeds that nobody edits. Not together with `EMONFEED_OPEN_STRICT`.
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
 * Mode: the row at the time asked for, otherwise the straight line between
 * its two neighbours; no value outside the feed or beside a row without
 * value.
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
 * Flag of windows and of values at given moments: leave out those without a
 * value.
 */
#define EMONFEED_SKIP_MISSING 2

/**
 * Flag of windows and of values at given moments: give the time of the row
 * that answers, where it has a value, in place of the moment asked for or of
 * the start of its window. Computed values have no time of their own.
 */
#define EMONFEED_TRUE_TIME 4

/**
 * Window flag: leave out rows at or after the end of the whole query, which
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
 * 256 KiB, and so find old readings that were edited.
 */
#define EMONFEED_COPY_FULL 2

/**
 * Outcome: the copy held every row already.
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
 * that only to the value of the last one), and rows were appended if there
 * were any.
 */
#define EMONFEED_OUTCOME_PATCHED 3

/**
 * Outcome: the source had shrunk or was another one than the copy; the copy
 * was made anew and the old one kept under a dated name.
 */
#define EMONFEED_OUTCOME_NEW_GENERATION 4

/**
 * Outcome: the feed could not be copied; the copy, if there is one, is as it
 * was. `emonfeed_report_status()` and `emonfeed_report_message()` say why.
 */
#define EMONFEED_OUTCOME_FAILED 5

/**
 * Outcome: the feed was left out, for it has more bytes than the option
 * `max-size` allows.
 */
#define EMONFEED_OUTCOME_SKIPPED 6

/**
 * Outcome: the source does not have the feed any more; the copy stays.
 */
#define EMONFEED_OUTCOME_SOURCE_GONE 7

/**
 * Outcome: the source does not have the feed any more, and the copy and what
 * was kept of it were removed, because of the option `delete`.
 */
#define EMONFEED_OUTCOME_DELETED 8

/**
 * One run of the backup: it brings the copies of all feeds of a directory up
 * to date. Yours; end it with `emonfeed_backup_close()`.
 *
 * It goes from step to step. Between two of them nothing is done and no thread
 * runs, so that is where a program shows how far it is, pauses, or decides to
 * stop. What a step reports is on the disk and in the catalog: a program that
 * crashes loses at most the work that was not reported, and the next run does
 * that again. From the first moment to the end the destination is locked
 * against other runs.
 *
 * One thread at a time may use it, not necessarily the one that got it. After
 * `fork()` it belongs to the parent: in the child each function of it fails or
 * does nothing, and freeing it changes nothing in the destination.
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
 * if (status != EMONFEED_STATUS_OK)
 *     fprintf(stderr, "%s\n", emonfeed_error_message(error));
 * ```
 *
 * Functions: `emonfeed_backup_open()`, `emonfeed_backup_feeds()`,
 * `emonfeed_backup_step()`, `emonfeed_backup_report()`,
 * `emonfeed_backup_stop()`, `emonfeed_backup_close()`,
 * `emonfeed_backup_free()`.
 */
typedef struct emonfeed_backup emonfeed_backup;

/**
 * Why a call failed: a status and a message for people. Yours; free it with
 * `emonfeed_error_free()`.
 *
 * One thread at a time may use it, not necessarily the one that got it.
 *
 * Functions: `emonfeed_error_status()`, `emonfeed_error_message()`,
 * `emonfeed_error_free()`.
 */
typedef struct emonfeed_error emonfeed_error;

/**
 * A feed, ready to be asked. Yours; free it with `emonfeed_feed_free()`.
 *
 * Each call looks at the files anew, so that it sees the rows written since
 * and survives a table that is rebuilt, and answers from one consistent view
 * of them. Any call can therefore fail as `emonfeed_feed_open()` can. Between
 * calls nothing is locked; mappings of the feeds used last are kept for the
 * process's next call, whichever handle that comes from.
 *
 * A call may wait, up to about a second for a table that is being rebuilt,
 * up to five for a program that holds the lock on a bare file
 * (`EMONFEED_STATUS_CHANGED`, `EMONFEED_STATUS_LOCKED`).
 *
 * Any number of threads may use one feed at the same time, and after `fork()`
 * both processes may go on using it, whatever other threads did at that
 * moment. Only `emonfeed_feed_free()` needs it alone.
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
 * The answer of `emonfeed_feed_histogram()`: bars, ascending in `data2`.
 * Yours; free it with `emonfeed_histogram_free()`.
 *
 * It is a copy: it does not change when the feed does and outlives the feed
 * it came from. Any number of threads may read it at once;
 * `emonfeed_histogram_to_decimal()` and `emonfeed_histogram_free()` need it
 * alone.
 *
 * Functions: `emonfeed_histogram_len()`, `emonfeed_histogram_bins()`,
 * `emonfeed_histogram_to_decimal()`, `emonfeed_histogram_free()`. Made by:
 * `emonfeed_feed_histogram()`.
 */
typedef struct emonfeed_histogram emonfeed_histogram;

/**
 * What was done about one feed. That of `emonfeed_copy()` is yours; free it
 * with `emonfeed_report_free()`. That of `emonfeed_backup_report()` belongs to
 * the backup, which frees it.
 *
 * It never changes, so any number of threads may read it until it is freed.
 * If it does not tell of a copy (the outcome is `EMONFEED_OUTCOME_FAILED` or
 * a later one), its figures of rows and bytes are 0.
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
 * The answer of a query: points, in the order that query promises. Yours;
 * free it with `emonfeed_series_free()`.
 *
 * It is a copy: it does not change when the feed does and outlives the feed
 * it came from. Any number of threads may read it at once;
 * `emonfeed_series_to_decimal()` and `emonfeed_series_free()` need it alone.
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
 * A piece of UTF-8 text: JSON or CSV. Yours; free it with
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
 * The numbers never change their meaning; later versions may add some, so
 * treat one you do not know as a failure. 1 to 9 concern the caller or this
 * library, 10 to 19 the operating system, 20 to 39 what the file is, 40 to 49
 * what is wrong with it, 50 to 59 what others did to it meanwhile, 60 to 69
 * copying.
 */
typedef int32_t emonfeed_status;

/**
 * What is known of a feed as a whole. A plain value: nothing in it needs to
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
     * Time of the earliest row, Unix seconds; 0 without rows.
     */
    int64_t start_time;
    /**
     * Time of the latest row, Unix seconds; 0 without rows.
     */
    int64_t end_time;
    /**
     * Typical seconds between readings (the median); 0 with fewer than two
     * rows.
     */
    int64_t interval;
    /**
     * Committed bytes of the file the rows are in.
     */
    uint64_t bytes;
    /**
     * Bytes of the index, the `.MYI`: of its file, or as many as its header
     * says, if that is more; 0 without one.
     */
    uint64_t index_bytes;
    /**
     * Places for rows in those bytes, deleted rows included.
     */
    uint64_t slots;
    /**
     * Bytes per place.
     */
    uint32_t stride;
    /**
     * Whether the rows lie in the file in the order of their times. If not,
     * answers are the same but take longer.
     */
    bool sorted;
    /**
     * Whether a `.MYI` vouches for the rows; false for a bare `.MYD`, as
     * PHPTimeSeries and backups have it.
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
     * Static text; do not free it.
     */
    const char *value_type;
} emonfeed_meta;

/**
 * How far a reading of rows in pieces has come. To begin, set `time` to the
 * first second wanted and `given` to 0. A plain value.
 *
 * Functions: taken and moved on by `emonfeed_feed_rows_from()`.
 */
typedef struct {
    /**
     * Unix seconds. All rows before it were given,
     */
    int64_t time;
    /**
     * and so many of those at it.
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
 * The offset of a time zone from some moment on.
 */
typedef struct {
    /**
     * Unix seconds.
     */
    int64_t from;
    /**
     * Seconds east of UTC.
     */
    int32_t seconds;
} emonfeed_offset;

/**
 * How lines of CSV look. A plain value; what it points to stays yours and is
 * needed during the call only.
 *
 * Functions: taken by `emonfeed_series_csv()`.
 */
typedef struct {
    /**
     * Between time and value; NULL for `,`.
     */
    const char *separator;
    /**
     * The decimal point; NULL for `.`.
     */
    const char *point;
    /**
     * In place of a value where there is none; NULL for nothing.
     */
    const char *missing;
    /**
     * Digits behind the decimal point, up to 22, rounded half away from
     * zero; negative for the shortest text that reads back as the same
     * number.
     */
    int32_t decimals;
    /**
     * One of `EMONFEED_TIME_UNIX`, `EMONFEED_TIME_EXCEL` and
     * `EMONFEED_TIME_ISO8601`.
     */
    int32_t time;
    /**
     * What the clocks show, ascending in `from`: each holds from then on, the
     * first also before. NULL for UTC. Unix seconds need none.
     */
    const emonfeed_offset *offsets;
    /**
     * How many offsets there are.
     */
    size_t n_offsets;
} emonfeed_csv;

/**
 * One bar of a histogram.
 */
typedef struct {
    /**
     * The value of the column `data2` the bar stands for.
     */
    double data2;
    /**
     * The sum of the column `data` over its rows. NaN if none of them has a
     * value.
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
     * Feeds in the source that were asked for. Those that follow add up to it
     * unless the run was stopped, except for `source_gone` and `deleted`,
     * which the source does not have.
     */
    uint64_t feeds;
    /**
     * Copies that held every row already.
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
     * Copies of which rows were overwritten.
     */
    uint64_t patched;
    /**
     * Copies that were made anew, the old one being kept.
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
     * Copies whose source is gone.
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
     * Bytes of rows written, overwritten ones included.
     */
    uint64_t bytes_copied;
    /**
     * How long the run was open, in seconds.
     */
    double seconds;
    /**
     * Whether it was closed or stopped before all feeds were looked at.
     */
    bool stopped;
    /**
     * Whether every feed that was asked for is copied: none failed, the run
     * was not stopped, and what was to be removed was.
     */
    bool complete;
    /**
     * Why copies that were to be removed were not, in one sentence of UTF-8
     * for people; an empty string if that did not happen.
     */
    char not_deleted[256];
} emonfeed_summary;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library, such as `"0.1.0"`. The text is static; do not
 * free it.
 */
const char *emonfeed_version(void);

/**
 * The status of an error, the same the failed call returned. Of NULL:
 * `EMONFEED_STATUS_OK`.
 */
emonfeed_status emonfeed_error_status(const emonfeed_error *error);

/**
 * What went wrong, where, and what to do: one line of UTF-8 that names the
 * file and, where it helps, the byte offset in it. (Bytes of a path that are
 * not UTF-8 are shown as U+FFFD.) Of NULL: an empty string. Never NULL.
 *
 * The text belongs to the error and lives as long as it does.
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
 * operating system takes it: any bytes, ended by a NUL, not necessarily
 * UTF-8. If a `.MYI` lies beside it, that says which rows are committed, and
 * the `.frm` or `.sdi` says what the columns are; otherwise the file is read
 * as the bare nine-byte rows of PHPTimeSeries. `flags` is 0 or
 * `EMONFEED_OPEN_…` flags combined with `|`.
 *
 * `*out` becomes a feed that is yours. Fails if the file is missing, may not
 * be read, or is not a feed this library can read: any status from
 * `EMONFEED_STATUS_NOT_FOUND` to `EMONFEED_STATUS_CHANGED`.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_feed_open(const char *path,
                                   uint32_t flags,
                                   emonfeed_feed **out,
                                   emonfeed_error **error);

/**
 * Like `emonfeed_feed_open()`, and keeps what it finds out of the feed's rows
 * in a file in the directory `cache_dir`, so that the next process need not
 * read all rows once more: on a memory card that saves seconds.
 *
 * It serves feeds that were not written to since, tables with `CHECKSUM=1`,
 * and others with `EMONFEED_OPEN_TRUST_COUNTERS`; of a feed that is written
 * to and has no proof of how, all rows are read. The file takes about a
 * thirtieth of the rows' bytes. One that does not fit or is damaged is made
 * anew, and any may be deleted at any time. Feeds below 16,384 rows are read
 * instead.
 *
 * `cache_dir` is made if it is missing. It must belong to this user or root
 * and be writable by nobody else, as what is in it decides answers;
 * otherwise the call fails with `EMONFEED_STATUS_PERMISSION`. NULL is
 * `emonfeed_feed_open()`.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_feed_open_cached(const char *path,
                                          uint32_t flags,
                                          const char *cache_dir,
                                          emonfeed_feed **out,
                                          emonfeed_error **error);

/**
 * Frees a feed. Series, histograms and errors it gave stay as they are. NULL
 * is fine.
 */
void emonfeed_feed_free(emonfeed_feed *feed);

/**
 * What is known of the feed as a whole. `*out` is filled in.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_feed_meta(const emonfeed_feed *feed,
                                   emonfeed_meta *out,
                                   emonfeed_error **error);

/**
 * The latest row, the last one in the file if several have that time.
 *
 * `*out` becomes a series of one point, or of none if the feed has no rows,
 * and is yours. The point's value is NaN if the row has none.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_feed_last(const emonfeed_feed *feed,
                                   emonfeed_series **out,
                                   emonfeed_error **error);

/**
 * One value for each of the windows `[start, start + interval)`,
 * `[start + interval, start + 2 * interval)`, … that begin at or before
 * `end`. A graph.
 *
 * `start` and `end` are Unix seconds, `interval` seconds. `aggregate` is one
 * of `EMONFEED_FIRST` to `EMONFEED_COUNT` and says how the rows of a window
 * become one value; rows without a value are left out, except that
 * `EMONFEED_FIRST` and `EMONFEED_LAST` may choose one. `flags` is 0 or
 * `EMONFEED_CLOSED_END`, `EMONFEED_SKIP_MISSING`, `EMONFEED_TRUE_TIME` and
 * `EMONFEED_CLIP_END` combined with `|`.
 *
 * `*out` becomes a series of one point per window, ascending, and is yours.
 * A point's time is the start of its window; its value is NaN if the window
 * has none. With `end` before `start` there are no points. An interval below
 * 1 and more than 10 million windows are `EMONFEED_STATUS_ARGUMENT`.
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
 * The same for windows of any length, such as calendar days:
 * `[edges[0], edges[1])`, `[edges[1], edges[2])`, …
 *
 * `edges` are `n` Unix seconds, each greater than the one before; NULL is
 * fine if `n` is 0. `aggregate` and `flags` are those of
 * `emonfeed_feed_windows()`.
 *
 * `*out` becomes a series of `n - 1` points (none if `n` is 0) and is yours.
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
 * `times` are Unix seconds in any order; NULL is fine if `n` is 0. `mode` is
 * one of `EMONFEED_NEXT`, `EMONFEED_PREVIOUS`, `EMONFEED_LINEAR` and
 * `EMONFEED_EXACT` and says which row answers. `flags` is 0 or
 * `EMONFEED_SKIP_MISSING` and `EMONFEED_TRUE_TIME` combined with `|`.
 *
 * `*out` becomes a series of `n` points (fewer with `EMONFEED_SKIP_MISSING`)
 * in the order of `times` and is yours. A point's time is the one asked for,
 * with `EMONFEED_TRUE_TIME` that of the row that answers; its value is NaN if
 * there is no such row or it has no value.
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
 * to give, 0 for all of them.
 *
 * `*out` becomes a series of one point per row, ascending in time (rows of
 * one time in file order), and is yours. A value is NaN if the row has none.
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
 * `emonfeed_feed_rows()`: so a feed of any size is read in little memory.
 *
 * `limit` is the greatest number of rows to give, 0 for all of them. Fewer
 * than that mean that there are no more.
 *
 * `*out` becomes a series and is yours; `*position` moves behind its last
 * row. Both are left as they are on failure. Rows appended between the calls
 * are met. If rows that were given are no longer there, because the feed was
 * cleared meanwhile, this is `EMONFEED_STATUS_CHANGED`.
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
 * `*out` becomes a histogram, ascending in `data2`, and is yours. A feed
 * without `data2` is `EMONFEED_STATUS_NO_HISTOGRAM`.
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
 * `*out` becomes a series, ascending in time, and is yours. A feed without
 * `data2` is `EMONFEED_STATUS_NO_HISTOGRAM`. A bound that is NaN is
 * `EMONFEED_STATUS_ARGUMENT`.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_feed_sum_by_time(const emonfeed_feed *feed,
                                          double min,
                                          double max,
                                          emonfeed_series **out,
                                          emonfeed_error **error);

/**
 * `get_feed_data` of July 2013, the call emoncms's graphs were drawn from.
 *
 * `start_ms` and `end_ms` are Unix milliseconds; an `end_ms` of 0 means now.
 * `dp` is the number of points wanted. Let `range` be the seconds between
 * start and end. Beyond 180000 s, for each of `dp` equal parts the first row
 * in it; beyond 5000 s, averages over `range / dp` seconds, aligned to the
 * epoch; otherwise, or if `dp` is 0, all rows, **newest first**. Points
 * without value are left out.
 *
 * `*out` becomes a series whose times are **milliseconds** and is yours.
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
 * The points, `emonfeed_series_len()` of them. NULL if there are none or
 * `series` is NULL.
 *
 * They belong to the series and live as long as it does.
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
 * already, or if `series` is NULL.
 */
void emonfeed_series_to_decimal(emonfeed_series *series);

/**
 * The series as JSON: `[[time,value],…]`, in one line without spaces, a
 * missing or infinite value as `null`, `[]` if there are no points.
 *
 * Numbers are written as PHP's `json_encode` does: `3` rather than `3.0`,
 * `0.1` rather than `0.10000000149011612` for a float32 (whether or not
 * `emonfeed_series_to_decimal()` was called before).
 *
 * `*out` becomes a text that is yours. Fails with `EMONFEED_STATUS_ARGUMENT`
 * if `series` or `out` is NULL, with `EMONFEED_STATUS_MEMORY` if the text
 * does not fit into memory.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_series_json(const emonfeed_series *series,
                                     emonfeed_text **out,
                                     emonfeed_error **error);

/**
 * The series as CSV: one line per point, its time and its value, ended by
 * `\n`.
 *
 * `csv` says how lines look; NULL for `time,value` with Unix seconds, all
 * digits, and nothing after the comma where there is no value. Values are
 * written as in JSON, float32 with their own digits; an infinite value counts
 * as missing.
 *
 * `*out` becomes a text that is yours. Fails with `EMONFEED_STATUS_ARGUMENT`
 * if `series` or `out` is NULL or `csv` is not as its type says, with
 * `EMONFEED_STATUS_MEMORY` if the text does not fit into memory.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_series_csv(const emonfeed_series *series,
                                    const emonfeed_csv *csv,
                                    emonfeed_text **out,
                                    emonfeed_error **error);

/**
 * Frees a series and with it the points it lent out. NULL is fine.
 */
void emonfeed_series_free(emonfeed_series *series);

/**
 * Number of bars. 0 if `histogram` is NULL.
 */
size_t emonfeed_histogram_len(const emonfeed_histogram *histogram);

/**
 * The bars, `emonfeed_histogram_len()` of them. NULL if there are none or
 * `histogram` is NULL.
 *
 * They belong to the histogram and live as long as it does.
 */
const emonfeed_bin *emonfeed_histogram_bins(const emonfeed_histogram *histogram);

/**
 * If `data2` is a column of float32 values: changes each `data2`, in place,
 * to the double nearest to its shortest decimal, as
 * `emonfeed_series_to_decimal()` does with values. Sums stay as they are.
 * Does nothing if `histogram` is NULL.
 */
void emonfeed_histogram_to_decimal(emonfeed_histogram *histogram);

/**
 * Frees a histogram and with it the bars it lent out. NULL is fine.
 */
void emonfeed_histogram_free(emonfeed_histogram *histogram);

/**
 * All rows with `start <= time <= end` as an Arrow C stream, for engines and
 * languages that take one (DuckDB, pyarrow, Polars, R, …): so they read a feed
 * without a copy of it on the disk, and without this library knowing them.
 *
 * `start` and `end` are Unix seconds. `batch` is the greatest number of rows of
 * one batch, 0 for 65536; no more than one batch is copied at a time.
 *
 * `*out` is a `struct ArrowArrayStream` of yours, as Arrow's C stream interface
 * defines it; what was in it is overwritten. Its columns are `time`
 * (timestamp of seconds, UTC, never null) and `value` (float32, or float64 where
 * the column is no FLOAT; null where the row has none), of a histogram feed also
 * `data2`. Rows ascend in time, rows of one time in file order. The stream is
 * ended by its `release`; it does not need the feed's handle any more.
 *
 * Each batch is read from the rows as they are then; rows appended meanwhile
 * are met. `get_next` answers an `errno` if it fails (`ENOMEM`, or `EIO`), and
 * `get_last_error` says what is wrong. A feed that was cleared, or whose columns
 * became others, is such a failure. One thread at a time may use a stream.
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
 * It belongs to `text` and lives as long as that does.
 */
const char *emonfeed_text_data(const emonfeed_text *text);

/**
 * Bytes of the text, without the NUL. 0 if `text` is NULL.
 */
size_t emonfeed_text_len(const emonfeed_text *text);

/**
 * Frees a text. NULL is fine.
 */
void emonfeed_text_free(emonfeed_text *text);

/**
 * Brings the copy of one feed up to date.
 *
 * `source` is the file of its rows, such as
 * `/var/lib/mysql/emoncms/feed_7.MYD`. `destination` is a file to be, whose
 * name ends in `.MYD`, or an existing directory, where the copy gets the
 * source's name. Neither file may be a symbolic link, a pipe or a device, nor
 * may those beside it that belong to it; links to directories are followed,
 * on the way to the files and as `destination`. `flags` is 0 or
 * `EMONFEED_COPY_…` flags combined with `|`.
 *
 * Only whole rows that the server has committed are copied, each checked.
 * What the copy holds is not copied again: its last rows are compared with
 * the source, torn rows at its end are cut off, new rows are appended and on
 * the disk when this returns. If a source shrank or was rewritten, it is
 * copied anew, and the old copy kept under a dated name beside. The table's
 * definition (`.frm` or `.sdi`) is copied along, the index (`.MYI`) never.
 *
 * `*out` becomes a report that is yours. If the copy fails, what was there
 * before is there still: `EMONFEED_STATUS_DESTINATION` if the destination is
 * no place for a copy, `EMONFEED_STATUS_LOCKED` if another copy is writing
 * it, `EMONFEED_STATUS_CHANGED` if the source was rewritten meanwhile each
 * time it was tried, `EMONFEED_STATUS_IO` for a full disk, otherwise whatever
 * is wrong with the source, as `emonfeed_feed_open()` says it.
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
 * `source` is a database's directory of the server, such as
 * `/var/lib/mysql/emoncms`, or one of PHPTimeSeries or PHPFina. `destination`
 * is made if it does not exist; it holds a plain file per feed, which every
 * function here reads, and a catalog of what is in them. Relative paths count
 * from the directory that the program is in, which must stay the same as long
 * as the run is open.
 *
 * `options` is NULL, or an array of strings `name=value` that ends with NULL;
 * a name alone is the same as `name=1`. They are those of the command
 * `emonfeed backup`:
 *
 * - `prefix=TEXT`: what the names of feed tables begin with (`feed_`)
 * - `only=FEEDS`, `exclude=FEEDS`: only these feeds, or all but these.
 *   `FEEDS` is one or several of `7`, `1-50`, `feed_7`, with `*` and `?` as in
 *   a shell, and commas between; given repeatedly, they add up. What is
 *   excluded is so even if it is in `only`.
 * - `dry-run`: only find out what would be done; write nothing
 * - `recheck=1/30`, `all` or `none`: how much of what the copies hold is
 *   compared besides their ends: another thirtieth on each run (that is what
 *   holds if nothing is said), everything, or nothing
 * - `keep=N`: how many old states are kept of each feed (3)
 * - `delete`: remove the copies of feeds that the source does not have any
 *   more; `max-delete=N`: but none if it were more than so many (10)
 * - `bwlimit=RATE`: bytes to write per second at most; `max-size=SIZE`: leave
 *   out feeds with more bytes. Both are a number, or one with `k`, `M` or `G`
 *   behind it, for a thousand, a million or a thousand millions
 * - `same-device`: allow a destination on the disk of the source;
 *   `require-mount`: refuse one on the disk of the root directory;
 *   `trust-owner`: allow one that belongs to another user
 *
 * `*out` becomes a run that is yours. Fails if there is nothing to begin:
 * `EMONFEED_STATUS_LOCKED` if another run is at work in this destination,
 * `EMONFEED_STATUS_DESTINATION` if that is no place for copies,
 * `EMONFEED_STATUS_CATALOG` if its catalog cannot be used,
 * `EMONFEED_STATUS_NOT_FOUND` if there is no such directory or no feed in it
 * that was asked for, `EMONFEED_STATUS_ARGUMENT` for an option that there is
 * not or a value that it cannot have.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_backup_open(const char *source,
                                     const char *destination,
                                     const char *const *options,
                                     emonfeed_backup **out,
                                     emonfeed_error **error);

/**
 * How many feeds there are to look at. It can grow in the last steps, by
 * feeds that came meanwhile. 0 if `backup` is NULL.
 */
uint64_t emonfeed_backup_feeds(const emonfeed_backup *backup);

/**
 * Goes on until there is a feed to report of.
 *
 * `*out` becomes `true` if there is one: then `emonfeed_backup_report()` has
 * its report, and what that says is on the disk and in the catalog. It becomes
 * `false` when all is done: then only `emonfeed_backup_close()` is left. Feeds
 * are reported in the order of their numbers, except that some may have to
 * wait for others: many are put on the disk at a time, for two seconds or so,
 * and one step may do the work for all of them.
 *
 * A feed that cannot be copied is no failure of the step: its report has
 * `EMONFEED_OUTCOME_FAILED`, and the others follow. The step fails if no more
 * can be written down, for one because the disk is full
 * (`EMONFEED_STATUS_IO`, `EMONFEED_STATUS_CATALOG`): then what was reported
 * before holds, nothing else will be copied, and the run is still to be
 * closed.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_backup_step(emonfeed_backup *backup,
                                     bool *out,
                                     emonfeed_error **error);

/**
 * The report of the last step; NULL before the first step, when all is done,
 * after a step that failed, or if `backup` is NULL.
 *
 * It belongs to the backup and lives until its next step or its end. Do not
 * free it.
 */
const emonfeed_report *emonfeed_backup_report(const emonfeed_backup *backup);

/**
 * Looks at no further feed. The steps that follow report of those that were
 * looked at already. NULL is fine.
 */
void emonfeed_backup_stop(emonfeed_backup *backup);

/**
 * Ends the run and frees it, at any time: commits what was copied, whether it
 * was reported or not, writes down how the run went, and lets others at the
 * destination. NULL is fine and gives a summary of zeros.
 *
 * `*out` becomes the summary; here `out` may be NULL, if nobody wants that.
 * The backup is gone even if this fails, which it does if not all could be
 * written down (`EMONFEED_STATUS_IO`, `EMONFEED_STATUS_CATALOG`): then what was
 * not reported may not be copied, and the next run will do it.
 */
EMONFEED_MUST_USE
emonfeed_status emonfeed_backup_close(emonfeed_backup *backup,
                                      emonfeed_summary *out,
                                      emonfeed_error **error);

/**
 * Frees a run without closing it, as if the program had crashed: what was
 * reported holds, what was not is lost, and if anything was written for good,
 * the next run is told that this one was cut short. It fails in nothing and
 * waits for nothing. NULL is fine.
 */
void emonfeed_backup_free(emonfeed_backup *backup);

/**
 * The number of the feed, as its table's name has it: `7` of `feed_7`. (It
 * may have more digits than fit into an integer.) Of NULL, and of a report of
 * `emonfeed_copy()`: an empty string. Never NULL.
 *
 * The text belongs to the report and lives as long as it does.
 */
const char *emonfeed_report_feed(const emonfeed_report *report);

/**
 * The name of the feed's table, such as `feed_7`; of a PHPFina feed its
 * number. Of NULL, and of a report of `emonfeed_copy()`: an empty string.
 * Never NULL.
 *
 * The text belongs to the report and lives as long as it does.
 */
const char *emonfeed_report_table(const emonfeed_report *report);

/**
 * The name of the file of the feed's rows, which is that of the copy too:
 * `feed_7.MYD`, or `7.dat` of a PHPFina feed. Of NULL, and of a report of
 * `emonfeed_copy()`: an empty string. Never NULL.
 *
 * The text belongs to the report and lives as long as it does.
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
 * `deleted`. Of NULL: an empty string. Never NULL.
 *
 * The text belongs to the report and lives as long as it does.
 */
const char *emonfeed_report_outcome_name(const emonfeed_report *report);

/**
 * Why the feed could not be copied: one of `EMONFEED_STATUS_…`.
 * `EMONFEED_STATUS_OK` if the outcome is not `EMONFEED_OUTCOME_FAILED`, or if
 * `report` is NULL.
 */
emonfeed_status emonfeed_report_status(const emonfeed_report *report);

/**
 * Rows written behind those that the copy held. (Of `emonfeed_copy()`, a
 * rewritten last row is counted too.) 0 if `report` is NULL.
 */
uint64_t emonfeed_report_rows_copied(const emonfeed_report *report);

/**
 * Rows in the copy now, deleted ones included. 0 if `report` is NULL.
 */
uint64_t emonfeed_report_rows_total(const emonfeed_report *report);

/**
 * Bytes of these rows. 0 if `report` is NULL.
 */
uint64_t emonfeed_report_bytes_copied(const emonfeed_report *report);

/**
 * Bytes of the copy now. 0 if `report` is NULL.
 */
uint64_t emonfeed_report_bytes_total(const emonfeed_report *report);

/**
 * Bytes that were cut off the end of the copy: of a torn row, or the zeros a
 * power cut left in the place of rows. 0 if `report` is NULL.
 */
uint64_t emonfeed_report_bytes_repaired(const emonfeed_report *report);

/**
 * Bytes of rows that the copy held and that were overwritten, for the source
 * has others there: of readings that were edited, or of a copy that was
 * damaged. 0 if `report` is NULL, and of `emonfeed_copy()`.
 */
uint64_t emonfeed_report_bytes_overwritten(const emonfeed_report *report);

/**
 * The path the old copy was kept under; NULL if none was, or if `report` is
 * NULL.
 *
 * The text belongs to the report and lives as long as it does.
 */
const char *emonfeed_report_kept(const emonfeed_report *report);

/**
 * Whether the copy was there before the destination had a catalog, made by
 * another program perhaps: it was compared with the source as a whole and
 * taken over. `false` if `report` is NULL.
 */
bool emonfeed_report_adopted(const emonfeed_report *report);

/**
 * Whether the table's definition was copied, too. `false` if `report` is
 * NULL.
 */
bool emonfeed_report_definition_copied(const emonfeed_report *report);

/**
 * Whether nothing was written, because of `EMONFEED_COPY_DRY_RUN` or the
 * option `dry-run`: the report is of what would be done. `false` if `report`
 * is NULL.
 */
bool emonfeed_report_dry_run(const emonfeed_report *report);

/**
 * How many seconds it took, without its share of what a run does for many
 * feeds at a time. 0 if `report` is NULL.
 */
double emonfeed_report_seconds(const emonfeed_report *report);

/**
 * What was done, or why it could not be, in one sentence of UTF-8 for people.
 * Of NULL: an empty string. Never
 * NULL.
 *
 * The text belongs to the report and lives as long as it does.
 */
const char *emonfeed_report_message(const emonfeed_report *report);

/**
 * Frees a report of `emonfeed_copy()`; one of `emonfeed_backup_report()` is not
 * yours to free. NULL is fine.
 */
void emonfeed_report_free(emonfeed_report *report);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* EMONFEED_H */
