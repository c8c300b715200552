/* Checks the promises of emonfeed.h: every function, every argument, every
 * way to fail that a program can provoke.
 *
 *     check DIR
 *
 * tests/c_programs.rs writes the feeds in DIR.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* seteuid, mkdtemp */
#endif
#include <emonfeed.h>

#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures = 0;

#define CHECK(condition) check((condition) ? 1 : 0, #condition, __LINE__)

static void check(int holds, const char *condition, int line) {
    if (!holds) {
        fprintf(stderr, "check.c:%d: does not hold: %s\n", line, condition);
        failures++;
    }
}

/* A path in DIR; lives until the next call. */
static const char *folder;
static const char *in(const char *name) {
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* The outputs of a call that is to fail point here before, and must after. */
static char untouched;
#define SENTINEL(type) ((type *)(void *)&untouched)

/* Whether a call failed as it should: the status, the error's status, and a
 * message that contains `says`. Frees the error. */
static int failed_with(emonfeed_status status, emonfeed_error *error,
                       emonfeed_status expected, const char *says) {
    int right = status == expected && emonfeed_error_status(error) == expected &&
                strstr(emonfeed_error_message(error), says) != NULL;
    if (!right)
        fprintf(stderr, "status %d, expected %d and \"%s\": %s\n", (int)status,
                (int)expected, says, emonfeed_error_message(error));
    emonfeed_error_free(error);
    return right;
}

/* OK(function, out, arguments before it): the call must succeed, write `*out`
 * and leave the error alone. */
#define OK(function, out, ...)                                                           \
    do {                                                                                 \
        emonfeed_error *error_ = SENTINEL(emonfeed_error);                               \
        CHECK(function(__VA_ARGS__, out, &error_) == EMONFEED_STATUS_OK);                \
        CHECK(error_ == SENTINEL(emonfeed_error));                                       \
    } while (0)

/* The call must fail in this way, with and without an error asked for, and
 * leave its output alone. */
#define FAILS(expected, says, function, type, ...)                                       \
    do {                                                                                 \
        type *out_ = SENTINEL(type);                                                     \
        emonfeed_error *error_ = NULL;                                                   \
        emonfeed_status status_ = function(__VA_ARGS__, &out_, &error_);                 \
        CHECK(failed_with(status_, error_, expected, says));                             \
        CHECK(out_ == SENTINEL(type));                                                   \
        CHECK(function(__VA_ARGS__, &out_, NULL) == expected);                           \
        CHECK(out_ == SENTINEL(type));                                                   \
    } while (0)

/* The call must refuse an output that is NULL. */
#define NEEDS_OUT(function, ...)                                                         \
    do {                                                                                 \
        emonfeed_error *error_ = NULL;                                                   \
        emonfeed_status status_ = function(__VA_ARGS__, NULL, &error_);                  \
        CHECK(failed_with(status_, error_, EMONFEED_STATUS_ARGUMENT,                     \
                          "out must not be NULL"));                                      \
        CHECK(function(__VA_ARGS__, NULL, NULL) == EMONFEED_STATUS_ARGUMENT);            \
    } while (0)

static int near(double a, double b) { return fabs(a - b) <= 1e-9 * fabs(b); }

/* Whether the series is exactly this, NaN being equal to NaN. Frees it. */
static int is(emonfeed_series *series, const emonfeed_point *expected, size_t n) {
    const emonfeed_point *points = emonfeed_series_points(series);
    int right = emonfeed_series_len(series) == n && (points == NULL) == (n == 0);
    for (size_t i = 0; right && i < n; i++) {
        double value = points[i].value, wanted = expected[i].value;
        right = points[i].time == expected[i].time &&
                (isnan(wanted) ? isnan(value) : near(value, wanted) || value == wanted);
    }
    if (!right)
        for (size_t i = 0; i < emonfeed_series_len(series); i++)
            fprintf(stderr, "got %lld %.17g\n", (long long)points[i].time,
                    points[i].value);
    emonfeed_series_free(series);
    return right;
}

/* Whether the text is this. Frees it. */
static int is_text(emonfeed_text *text, const char *expected) {
    int right = strcmp(emonfeed_text_data(text), expected) == 0 &&
                emonfeed_text_len(text) == strlen(expected);
    if (!right)
        fprintf(stderr, "got %s\n", emonfeed_text_data(text));
    emonfeed_text_free(text);
    return right;
}

/* Whether the series is this JSON. */
static int is_json(const emonfeed_series *series, const char *expected) {
    emonfeed_text *text = NULL;
    OK(emonfeed_series_json, &text, series);
    return is_text(text, expected);
}

static emonfeed_feed *opened(const char *name, uint32_t flags) {
    emonfeed_feed *feed = NULL;
    OK(emonfeed_feed_open, &feed, in(name), flags);
    CHECK(feed != NULL);
    return feed;
}

static void version(void) {
    char expected[64];
    snprintf(expected, sizeof expected, "%d.%d.%d", EMONFEED_VERSION_MAJOR,
             EMONFEED_VERSION_MINOR, EMONFEED_VERSION_PATCH);
    CHECK(strcmp(emonfeed_version(), expected) == 0);
}

/* Functions that cannot fail take NULL. */
static void null_objects(void) {
    CHECK(emonfeed_series_len(NULL) == 0);
    CHECK(emonfeed_series_points(NULL) == NULL);
    CHECK(!emonfeed_series_is_single(NULL));
    emonfeed_series_to_decimal(NULL);
    CHECK(emonfeed_histogram_len(NULL) == 0);
    CHECK(emonfeed_histogram_bins(NULL) == NULL);
    emonfeed_histogram_to_decimal(NULL);
    CHECK(emonfeed_text_data(NULL) == NULL);
    CHECK(emonfeed_text_len(NULL) == 0);
    CHECK(strcmp(emonfeed_report_feed(NULL), "") == 0);
    CHECK(strcmp(emonfeed_report_table(NULL), "") == 0);
    CHECK(strcmp(emonfeed_report_file(NULL), "") == 0);
    CHECK(emonfeed_report_outcome(NULL) == -1);
    CHECK(strcmp(emonfeed_report_outcome_name(NULL), "") == 0);
    CHECK(emonfeed_report_status(NULL) == EMONFEED_STATUS_OK);
    CHECK(emonfeed_report_rows_copied(NULL) == 0);
    CHECK(emonfeed_report_rows_total(NULL) == 0);
    CHECK(emonfeed_report_bytes_copied(NULL) == 0);
    CHECK(emonfeed_report_bytes_total(NULL) == 0);
    CHECK(emonfeed_report_bytes_repaired(NULL) == 0);
    CHECK(emonfeed_report_bytes_overwritten(NULL) == 0);
    CHECK(emonfeed_report_kept(NULL) == NULL);
    CHECK(!emonfeed_report_adopted(NULL));
    CHECK(!emonfeed_report_definition_copied(NULL));
    CHECK(!emonfeed_report_dry_run(NULL));
    CHECK(emonfeed_report_seconds(NULL) == 0);
    CHECK(strcmp(emonfeed_report_message(NULL), "") == 0);
    CHECK(emonfeed_backup_feeds(NULL) == 0);
    CHECK(emonfeed_backup_report(NULL) == NULL);
    emonfeed_backup_stop(NULL);
    CHECK(emonfeed_error_status(NULL) == EMONFEED_STATUS_OK);
    CHECK(strcmp(emonfeed_error_message(NULL), "") == 0);
    for (int twice = 0; twice < 2; twice++) {
        emonfeed_feed_free(NULL);
        emonfeed_series_free(NULL);
        emonfeed_histogram_free(NULL);
        emonfeed_report_free(NULL);
        emonfeed_backup_free(NULL);
        emonfeed_text_free(NULL);
        emonfeed_error_free(NULL);
    }
}

/* DIR/feed_1.MYD: rows at 1000, 1010, ... 1990 with the float32 values 0, 0.1,
 * ... 9.9, except that the row at 1500 has none. */
static void queries(const emonfeed_feed *feed) {
    emonfeed_series *series = NULL;

    emonfeed_meta meta;
    memset(&meta, 0xff, sizeof meta);
    for (int twice = 0; twice < 2; twice++)
        OK(emonfeed_feed_meta, &meta, feed);
    CHECK(meta.npoints == 100);
    CHECK(meta.start_time == 1000);
    CHECK(meta.end_time == 1990);
    CHECK(meta.interval == 10);
    CHECK(meta.bytes == 900);
    CHECK(meta.slots == 100);
    CHECK(meta.stride == 9);
    CHECK(meta.sorted);
    CHECK(!meta.indexed);
    CHECK(!meta.checksum);
    CHECK(!meta.histogram);
    CHECK(strcmp(meta.value_type, "FLOAT") == 0);

    OK(emonfeed_feed_last, &series, feed);
    CHECK(emonfeed_series_is_single(series));
    const emonfeed_point last[] = {{1990, 9.9f}};
    CHECK(is(series, last, 1));

    OK(emonfeed_feed_windows, &series, feed, 1480, 1520, 20, EMONFEED_AVERAGE, 0);
    CHECK(!emonfeed_series_is_single(series));
    const emonfeed_point average[] = {
        {1480, (4.8f + (double)4.9f) / 2}, {1500, 5.1f}, {1520, (5.2f + (double)5.3f) / 2}};
    CHECK(is(series, average, 3));

    /* Each aggregate of the window [1490, 1520): 4.9, nothing, 5.1. */
    const int32_t aggregates[] = {EMONFEED_FIRST, EMONFEED_LAST, EMONFEED_AVERAGE,
                                  EMONFEED_MIN,   EMONFEED_MAX,  EMONFEED_SUM,
                                  EMONFEED_COUNT};
    const double answers[] = {4.9f, 5.1f, (4.9f + (double)5.1f) / 2,
                              4.9f, 5.1f, 4.9f + (double)5.1f,
                              2};
    for (size_t i = 0; i < sizeof aggregates / sizeof *aggregates; i++) {
        const emonfeed_point expected[] = {{1490, answers[i]}};
        OK(emonfeed_feed_windows, &series, feed, 1490, 1500, 30, aggregates[i], 0);
        CHECK(emonfeed_series_is_single(series) ==
              (aggregates[i] != EMONFEED_AVERAGE && aggregates[i] != EMONFEED_SUM &&
               aggregates[i] != EMONFEED_COUNT));
        CHECK(is(series, expected, 1));
    }

    /* Each flag. */
    const int64_t edges[] = {1001, 1010, 1020};
    const emonfeed_point plain[] = {{1001, NAN}, {1010, 0.1f}};
    const emonfeed_point closed[] = {{1001, 0.1f}, {1010, 0.1f}};
    const emonfeed_point true_time[] = {{1010, 0.1f}, {1010, 0.1f}};
    OK(emonfeed_feed_windows_at, &series, feed, edges, 3, EMONFEED_FIRST, 0);
    CHECK(is(series, plain, 2));
    OK(emonfeed_feed_windows_at, &series, feed, edges, 3, EMONFEED_FIRST,
       EMONFEED_SKIP_MISSING);
    CHECK(is(series, plain + 1, 1));
    OK(emonfeed_feed_windows_at, &series, feed, edges, 3, EMONFEED_FIRST,
       EMONFEED_CLOSED_END);
    CHECK(is(series, closed, 2));
    OK(emonfeed_feed_windows_at, &series, feed, edges, 3, EMONFEED_FIRST,
       EMONFEED_CLOSED_END | EMONFEED_TRUE_TIME);
    CHECK(is(series, true_time, 2));
    const emonfeed_point whole[] = {{1000, 10}}, clipped[] = {{1000, 5}};
    OK(emonfeed_feed_windows, &series, feed, 1000, 1050, 100, EMONFEED_COUNT, 0);
    CHECK(is(series, whole, 1));
    OK(emonfeed_feed_windows, &series, feed, 1000, 1050, 100, EMONFEED_COUNT,
       EMONFEED_CLIP_END);
    CHECK(is(series, clipped, 1));

    /* Each mode, times in any order. */
    const int64_t times[] = {1015, 1010, 999, 1991, 1500};
    const emonfeed_point next[] = {
        {1015, 0.2f}, {1010, 0.1f}, {999, 0}, {1991, NAN}, {1500, NAN}};
    const emonfeed_point previous[] = {
        {1015, 0.1f}, {1010, 0.1f}, {999, NAN}, {1991, 9.9f}, {1500, NAN}};
    const emonfeed_point linear[] = {{1015, (0.1f + (double)0.2f) / 2},
                                     {1010, 0.1f},
                                     {999, NAN},
                                     {1991, NAN},
                                     {1500, NAN}};
    const emonfeed_point exact[] = {
        {1015, NAN}, {1010, 0.1f}, {999, NAN}, {1991, NAN}, {1500, NAN}};
    OK(emonfeed_feed_values_at, &series, feed, times, 5, EMONFEED_NEXT, 0);
    CHECK(is(series, next, 5));
    OK(emonfeed_feed_values_at, &series, feed, times, 5, EMONFEED_PREVIOUS, 0);
    CHECK(is(series, previous, 5));
    OK(emonfeed_feed_values_at, &series, feed, times, 5, EMONFEED_LINEAR, 0);
    CHECK(is(series, linear, 5));
    OK(emonfeed_feed_values_at, &series, feed, times, 5, EMONFEED_EXACT, 0);
    CHECK(is(series, exact, 5));

    const emonfeed_point rows[] = {{1490, 4.9f}, {1500, NAN}, {1510, 5.1f}};
    OK(emonfeed_feed_rows, &series, feed, 1490, 1510, 0);
    CHECK(emonfeed_series_is_single(series));
    CHECK(is(series, rows, 3));
    OK(emonfeed_feed_rows, &series, feed, 1490, 1510, 2);
    CHECK(is(series, rows, 2));
    OK(emonfeed_feed_rows, &series, feed, INT64_MIN, INT64_MAX, 0);
    CHECK(emonfeed_series_len(series) == 100);
    emonfeed_series_free(series);

    /* In pieces: the last one is short. */
    emonfeed_position position = {1490, 0};
    OK(emonfeed_feed_rows_from, &series, feed, &position, 1510, 2);
    CHECK(is(series, rows, 2));
    CHECK(position.time == 1500 && position.given == 1);
    OK(emonfeed_feed_rows_from, &series, feed, &position, 1510, 2);
    CHECK(is(series, rows + 2, 1));
    CHECK(position.time == 1510 && position.given == 1);
    OK(emonfeed_feed_rows_from, &series, feed, &position, 1510, 0);
    CHECK(is(series, NULL, 0));
    CHECK(position.time == 1510 && position.given == 1);

    /* Milliseconds, newest first, the row without value left out. */
    const emonfeed_point data[] = {{1510000, 5.1f}, {1490000, 4.9f}};
    OK(emonfeed_feed_data, &series, feed, 1490000.0, 1510000.0, 800);
    CHECK(is(series, data, 2));

    /* Empty answers. */
    OK(emonfeed_feed_rows, &series, feed, 1, 2, 0);
    CHECK(is(series, NULL, 0));
    OK(emonfeed_feed_windows, &series, feed, 2, 1, 10, EMONFEED_FIRST, 0);
    CHECK(is(series, NULL, 0));
    OK(emonfeed_feed_windows_at, &series, feed, NULL, 0, EMONFEED_FIRST, 0);
    CHECK(is(series, NULL, 0));
    OK(emonfeed_feed_windows_at, &series, feed, edges, 1, EMONFEED_FIRST, 0);
    CHECK(is(series, NULL, 0));
    OK(emonfeed_feed_values_at, &series, feed, NULL, 0, EMONFEED_LINEAR, 0);
    CHECK(is(series, NULL, 0));
}

/* float32 values, their shortest decimals, and JSON. */
static void decimals(const emonfeed_feed *feed) {
    emonfeed_series *series = NULL;
    OK(emonfeed_feed_rows, &series, feed, 1490, 1510, 0);
    const emonfeed_point *points = emonfeed_series_points(series);
    CHECK(points[0].value == 4.9f && points[0].value != 4.9);
    CHECK(is_json(series, "[[1490,4.9],[1500,null],[1510,5.1]]"));
    for (int twice = 0; twice < 2; twice++) {
        emonfeed_series_to_decimal(series);
        CHECK(!emonfeed_series_is_single(series));
        CHECK(points == emonfeed_series_points(series)); /* changed in place */
        CHECK(points[0].value == 4.9);
        CHECK(isnan(points[1].value));
        CHECK(is_json(series, "[[1490,4.9],[1500,null],[1510,5.1]]"));
    }
    emonfeed_series_free(series);

    OK(emonfeed_feed_rows, &series, feed, 1, 2, 0);
    CHECK(is_json(series, "[]"));
    emonfeed_series_free(series);
}

/* Whether the series is this CSV. */
static int is_csv(const emonfeed_series *series, const emonfeed_csv *csv,
                  const char *expected) {
    emonfeed_text *text = NULL;
    OK(emonfeed_series_csv, &text, series, csv);
    return is_text(text, expected);
}

static void csvs(const emonfeed_feed *feed) {
    emonfeed_series *series = NULL;
    OK(emonfeed_feed_rows, &series, feed, 1490, 1510, 0);
    CHECK(is_csv(series, NULL, "1490,4.9\n1500,\n1510,5.1\n"));

    const emonfeed_offset offsets[] = {{0, 3600}, {1510, -1800}};
    emonfeed_csv csv = {";", "::", "none", 2, EMONFEED_TIME_EXCEL, offsets, 2};
    CHECK(is_csv(series, &csv,
                 "01/01/1970 01:24:50;4::90\n01/01/1970 01:25:00;none\n"
                 "31/12/1969 23:55:10;5::10\n"));
    csv.time = EMONFEED_TIME_ISO8601;
    csv.separator = csv.point = csv.missing = NULL;
    csv.decimals = -1;
    csv.offsets = NULL;
    csv.n_offsets = 0;
    CHECK(is_csv(series, &csv,
                 "1970-01-01T00:24:50+00:00,4.9\n1970-01-01T00:25:00+00:00,\n"
                 "1970-01-01T00:25:10+00:00,5.1\n"));

    const emonfeed_status argument = EMONFEED_STATUS_ARGUMENT;
    csv.n_offsets = 1;
    FAILS(argument, "offsets must not be NULL", emonfeed_series_csv, emonfeed_text, series,
          &csv);
    csv.n_offsets = 0;
    csv.time = 3;
    FAILS(argument, "time is 3;", emonfeed_series_csv, emonfeed_text, series, &csv);
    csv.time = EMONFEED_TIME_UNIX;
    csv.decimals = 23;
    FAILS(argument, "decimals must be at most 22", emonfeed_series_csv, emonfeed_text, series, &csv);
    csv.decimals = INT32_MAX;
    FAILS(argument, "decimals", emonfeed_series_csv, emonfeed_text, series, &csv);
    csv.decimals = 0;
    csv.point = "\xff";
    FAILS(argument, "point is not valid UTF-8", emonfeed_series_csv, emonfeed_text, series,
          &csv);
    FAILS(argument, "series must not be NULL", emonfeed_series_csv, emonfeed_text, NULL,
          NULL);
    NEEDS_OUT(emonfeed_series_csv, series, NULL);
    emonfeed_series_free(series);
}

/* DIR/histogram: a table recorded from a server (tests/fixtures/histogram),
 * with 0.1 in place of 300 in the column data2. */
static void histograms(void) {
    emonfeed_feed *feed = opened("histogram/feed_1.MYD", 0);
    emonfeed_meta meta;
    OK(emonfeed_feed_meta, &meta, feed);
    CHECK(meta.histogram);
    CHECK(meta.indexed);
    CHECK(meta.stride == 13);

    emonfeed_histogram *histogram = NULL;
    OK(emonfeed_feed_histogram, &histogram, feed, 1370000000, 1370000100);
    CHECK(emonfeed_histogram_len(histogram) == 3);
    const emonfeed_bin *bins = emonfeed_histogram_bins(histogram);
    if (bins != NULL && emonfeed_histogram_len(histogram) == 3) {
        CHECK(bins[0].data2 == 0.1f && bins[0].data2 != 0.1);
        CHECK(bins[0].sum == -2 * (double)FLT_TRUE_MIN);
        CHECK(bins[1].data2 == 100);
        CHECK(near(bins[1].sum, FLT_MAX));
        CHECK(bins[2].data2 == 200);
        CHECK(bins[2].sum == 2 * 16777215.0);
        for (int twice = 0; twice < 2; twice++) {
            emonfeed_histogram_to_decimal(histogram);
            CHECK(bins == emonfeed_histogram_bins(histogram)); /* changed in place */
            CHECK(bins[0].data2 == 0.1);
            CHECK(bins[0].sum == -2 * (double)FLT_TRUE_MIN);
            CHECK(bins[1].data2 == 100);
        }
    }
    emonfeed_histogram_free(histogram);

    OK(emonfeed_feed_histogram, &histogram, feed, 1, 2);
    CHECK(emonfeed_histogram_len(histogram) == 0);
    CHECK(emonfeed_histogram_bins(histogram) == NULL);
    emonfeed_histogram_to_decimal(histogram);
    emonfeed_histogram_free(histogram);

    emonfeed_series *series = NULL;
    const emonfeed_point sums[] = {{1370000250, 0.0010000000474974513}};
    OK(emonfeed_feed_sum_by_time, &series, feed, -150.0, 0.0);
    CHECK(is(series, sums, 1));
    emonfeed_feed_free(feed);
}

/* Arguments that make no sense, each named in the message. */
static void arguments(const emonfeed_feed *feed) {
    const emonfeed_status argument = EMONFEED_STATUS_ARGUMENT;
    const int64_t edges[] = {20, 10}, times[] = {10};
    const char *path = in("feed_1.MYD");

    FAILS(argument, "path must not be NULL", emonfeed_feed_open, emonfeed_feed, NULL, 0);
    FAILS(argument, "path is an empty string", emonfeed_feed_open, emonfeed_feed, "", 0);
    FAILS(argument, "flags is 16;", emonfeed_feed_open, emonfeed_feed, path, 16);
    FAILS(argument, "exclude each other", emonfeed_feed_open, emonfeed_feed, path,
          EMONFEED_OPEN_STRICT | EMONFEED_OPEN_TRUST_COUNTERS);
    FAILS(argument, "path must not be NULL", emonfeed_feed_open_cached, emonfeed_feed, NULL,
          0, "/tmp");
    FAILS(argument, "cache_dir is an empty string", emonfeed_feed_open_cached,
          emonfeed_feed, path, 0, "");
    FAILS(EMONFEED_STATUS_NOT_FOUND, "directory for summaries", emonfeed_feed_open_cached,
          emonfeed_feed, path, 0, "/nowhere/at/all");
    NEEDS_OUT(emonfeed_feed_open_cached, path, 0, NULL);
    NEEDS_OUT(emonfeed_feed_open, path, 0);

    emonfeed_meta meta, before;
    memset(&meta, 0x5a, sizeof meta);
    before = meta;
    emonfeed_error *error = NULL;
    emonfeed_status status = emonfeed_feed_meta(NULL, &meta, &error);
    CHECK(failed_with(status, error, argument, "feed must not be NULL"));
    CHECK(memcmp(&meta, &before, sizeof meta) == 0);
    NEEDS_OUT(emonfeed_feed_meta, feed);

    FAILS(argument, "feed must not be NULL", emonfeed_feed_last, emonfeed_series, NULL);
    NEEDS_OUT(emonfeed_feed_last, feed);

    FAILS(argument, "feed must not be NULL", emonfeed_feed_windows, emonfeed_series, NULL,
          0, 1, 1, EMONFEED_FIRST, 0);
    FAILS(argument, "interval", emonfeed_feed_windows, emonfeed_series, feed, 0, 1, 0,
          EMONFEED_FIRST, 0);
    FAILS(argument, "10000000", emonfeed_feed_windows, emonfeed_series, feed, 0, INT64_MAX,
          1, EMONFEED_FIRST, 0);
    FAILS(argument, "aggregate is 7;", emonfeed_feed_windows, emonfeed_series, feed, 0, 1,
          1, 7, 0);
    FAILS(argument, "aggregate is -1;", emonfeed_feed_windows, emonfeed_series, feed, 0, 1,
          1, -1, 0);
    FAILS(argument, "flags is 16;", emonfeed_feed_windows, emonfeed_series, feed, 0, 1, 1,
          EMONFEED_FIRST, 16);
    NEEDS_OUT(emonfeed_feed_windows, feed, 0, 1, 1, EMONFEED_FIRST, 0);

    FAILS(argument, "feed must not be NULL", emonfeed_feed_windows_at, emonfeed_series,
          NULL, times, 1, EMONFEED_FIRST, 0);
    FAILS(argument, "edges must not be NULL", emonfeed_feed_windows_at, emonfeed_series,
          feed, NULL, 1, EMONFEED_FIRST, 0);
    FAILS(argument, "edges: ", emonfeed_feed_windows_at, emonfeed_series, feed, edges,
          SIZE_MAX, EMONFEED_FIRST, 0);
    FAILS(argument, "edges", emonfeed_feed_windows_at, emonfeed_series, feed, edges, 2,
          EMONFEED_FIRST, 0);
    FAILS(argument, "aggregate is 9;", emonfeed_feed_windows_at, emonfeed_series, feed,
          times, 1, 9, 0);
    FAILS(argument, "flags is 4294967295;", emonfeed_feed_windows_at, emonfeed_series,
          feed, times, 1, EMONFEED_FIRST, UINT32_MAX);
    NEEDS_OUT(emonfeed_feed_windows_at, feed, times, 1, EMONFEED_FIRST, 0);

    FAILS(argument, "feed must not be NULL", emonfeed_feed_values_at, emonfeed_series,
          NULL, times, 1, EMONFEED_NEXT, 0);
    FAILS(argument, "times must not be NULL", emonfeed_feed_values_at, emonfeed_series,
          feed, NULL, 1, EMONFEED_NEXT, 0);
    FAILS(argument, "mode is 4;", emonfeed_feed_values_at, emonfeed_series, feed, times, 1,
          4, 0);
    FAILS(argument, "no other flags than", emonfeed_feed_values_at, emonfeed_series, feed,
          times, 1, EMONFEED_NEXT, EMONFEED_CLIP_END);
    FAILS(argument, "flags is 16;", emonfeed_feed_values_at, emonfeed_series, feed, times,
          1, EMONFEED_NEXT, 16);
    NEEDS_OUT(emonfeed_feed_values_at, feed, times, 1, EMONFEED_NEXT, 0);

    FAILS(argument, "feed must not be NULL", emonfeed_feed_rows, emonfeed_series, NULL, 0,
          1, 0);
    NEEDS_OUT(emonfeed_feed_rows, feed, 0, 1, 0);

    emonfeed_position position = {1500, 2}; /* there is one row at 1500 */
    FAILS(EMONFEED_STATUS_CHANGED, "changed or deleted", emonfeed_feed_rows_from,
          emonfeed_series, feed, &position, 1510, 1);
    CHECK(position.time == 1500 && position.given == 2);
    FAILS(argument, "feed must not be NULL", emonfeed_feed_rows_from, emonfeed_series,
          NULL, &position, 1510, 1);
    FAILS(argument, "position must not be NULL", emonfeed_feed_rows_from, emonfeed_series,
          feed, NULL, 1510, 1);
    NEEDS_OUT(emonfeed_feed_rows_from, feed, &position, 1510, 1);

    FAILS(argument, "feed must not be NULL", emonfeed_feed_histogram, emonfeed_histogram,
          NULL, 0, 1);
    NEEDS_OUT(emonfeed_feed_histogram, feed, 0, 1);
    FAILS(EMONFEED_STATUS_NO_HISTOGRAM, "data2", emonfeed_feed_histogram,
          emonfeed_histogram, feed, 0, 1);

    FAILS(argument, "feed must not be NULL", emonfeed_feed_sum_by_time, emonfeed_series,
          NULL, 0.0, 1.0);
    NEEDS_OUT(emonfeed_feed_sum_by_time, feed, 0.0, 1.0);
    FAILS(EMONFEED_STATUS_ARGUMENT, "must be numbers", emonfeed_feed_sum_by_time,
          emonfeed_series, feed, (double)NAN, 1.0);
    FAILS(EMONFEED_STATUS_NO_HISTOGRAM, "data2", emonfeed_feed_sum_by_time,
          emonfeed_series, feed, 0.0, 1.0);

    FAILS(argument, "feed must not be NULL", emonfeed_feed_data, emonfeed_series, NULL,
          0.0, 1.0, 1);
    FAILS(argument, "start", emonfeed_feed_data, emonfeed_series, feed, (double)NAN, 1.0,
          1);
    NEEDS_OUT(emonfeed_feed_data, feed, 0.0, 1.0, 1);

    FAILS(argument, "series must not be NULL", emonfeed_series_json, emonfeed_text, NULL);
    emonfeed_series *series = NULL;
    OK(emonfeed_feed_last, &series, feed);
    NEEDS_OUT(emonfeed_series_json, series);
    emonfeed_series_free(series);
}

/* Files that are no feed: what opening one, or else reading its rows, says. */
static void refusals(void) {
    const struct {
        const char *name;
        uint32_t flags;
        emonfeed_status status;
        const char *says;
    } cases[] = {
        {"missing/feed_1.MYD", 0, EMONFEED_STATUS_NOT_FOUND, "missing/feed_1.MYD"},
        {"folder.MYD", 0, EMONFEED_STATUS_NOT_REGULAR, "folder.MYD"},
        {"pipe.MYD", 0, EMONFEED_STATUS_NOT_REGULAR, "pipe.MYD"},
        {"link.MYD", EMONFEED_OPEN_NOFOLLOW, EMONFEED_STATUS_NOT_REGULAR, "link.MYD"},
        {"other_names/feed_1.MYD", 0, EMONFEED_STATUS_NOT_A_FEED, "other_names"},
        {"decimal/feed_1.MYD", 0, EMONFEED_STATUS_UNKNOWN_COLUMN, "decimal"},
        {"aria/feed_1.MYD", 0, EMONFEED_STATUS_ENGINE, "aria"},
        {"compressed/feed_1.MYD", 0, EMONFEED_STATUS_COMPRESSED, "compressed"},
        {"dynamic/feed_1.MYD", 0, EMONFEED_STATUS_DYNAMIC, "dynamic"},
        {"undefined/feed_1.MYD", 0, EMONFEED_STATUS_MISSING_DEFINITION, "undefined"},
        {"crashed/feed_1.MYD", 0, EMONFEED_STATUS_CRASHED, "crashed"},
        {"shifted/feed_1.MYD", 0, EMONFEED_STATUS_PHASE_SHIFTED, "shifted"},
        {"damaged/feed_1.MYD", 0, EMONFEED_STATUS_DAMAGED, "damaged"},
        {"bad_row/feed_1.MYD", 0, EMONFEED_STATUS_BAD_ROW, "at byte 18"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (uint32_t access = 0; access <= EMONFEED_OPEN_PREAD; access++) {
            uint32_t flags = cases[i].flags | access;
            emonfeed_feed *feed = NULL;
            emonfeed_series *series = NULL;
            emonfeed_error *error = NULL;
            emonfeed_status status =
                emonfeed_feed_open(in(cases[i].name), flags, &feed, &error);
            if (status == EMONFEED_STATUS_OK)
                status = emonfeed_feed_rows(feed, 0, UINT32_MAX, 0, &series, &error);
            CHECK(failed_with(status, error, cases[i].status, cases[i].says));
            CHECK(series == NULL);
            emonfeed_feed_free(feed);
        }
    }

    /* A file this user may not read. Root may read any, so stop being root. */
    int root = geteuid() == 0;
    if (root)
        CHECK(seteuid(65534) == 0);
    FAILS(EMONFEED_STATUS_PERMISSION, "secret.MYD", emonfeed_feed_open, emonfeed_feed,
          in("secret.MYD"), 0);
    if (root)
        CHECK(seteuid(0) == 0);
}

/* What one copy did. Frees the report. */
static int did(emonfeed_report *report, int32_t outcome, uint64_t copied, uint64_t total) {
    /* By number. */
    static const char *const names[] = {"unchanged", "created", "appended", "patched",
                                        "new-generation"};
    int right = emonfeed_report_outcome(report) == outcome &&
                strcmp(emonfeed_report_outcome_name(report), names[outcome]) == 0 &&
                emonfeed_report_status(report) == EMONFEED_STATUS_OK &&
                !emonfeed_report_dry_run(report) &&
                emonfeed_report_rows_copied(report) == copied &&
                emonfeed_report_bytes_copied(report) == 9 * copied &&
                emonfeed_report_rows_total(report) == total &&
                emonfeed_report_bytes_total(report) == 9 * total &&
                strlen(emonfeed_report_message(report)) > 0 &&
                (outcome == EMONFEED_OUTCOME_NEW_GENERATION) ==
                    (emonfeed_report_kept(report) != NULL);
    if (!right)
        fprintf(stderr, "outcome %d: %s\n", (int)emonfeed_report_outcome(report),
                emonfeed_report_message(report));
    emonfeed_report_free(report);
    return right;
}

/* DIR/longer has the rows of DIR/feed_1.MYD and ten more, DIR/edited the same
 * with another last value, DIR/other others. */
static void copies(void) {
    char source[4096], longer[4096], edited[4096], other[4096], copy[4096], to[4096];
    snprintf(source, sizeof source, "%s", in("feed_1.MYD"));
    snprintf(longer, sizeof longer, "%s", in("longer/feed_1.MYD"));
    snprintf(edited, sizeof edited, "%s", in("edited/feed_1.MYD"));
    snprintf(other, sizeof other, "%s", in("other/feed_1.MYD"));
    snprintf(to, sizeof to, "%s", in("copy-XXXXXX"));
    CHECK(mkdtemp(to) != NULL);
    CHECK(snprintf(copy, sizeof copy, "%s/feed_1.MYD", to) < (int)sizeof copy);

    emonfeed_report *report = NULL;
    OK(emonfeed_copy, &report, source, to, EMONFEED_COPY_DRY_RUN);
    CHECK(emonfeed_report_outcome(report) == EMONFEED_OUTCOME_CREATED);
    CHECK(emonfeed_report_dry_run(report));
    emonfeed_report_free(report);
    CHECK(access(copy, F_OK) != 0);

    OK(emonfeed_copy, &report, source, to, 0); /* into a directory */
    CHECK(emonfeed_report_bytes_repaired(report) == 0);
    CHECK(did(report, EMONFEED_OUTCOME_CREATED, 100, 100));
    OK(emonfeed_copy, &report, source, copy, 0); /* to a file */
    CHECK(did(report, EMONFEED_OUTCOME_UNCHANGED, 0, 100));
    OK(emonfeed_copy, &report, source, copy, EMONFEED_COPY_FULL);
    CHECK(did(report, EMONFEED_OUTCOME_UNCHANGED, 0, 100));

    FILE *file = fopen(copy, "ab"); /* a torn row */
    CHECK(file != NULL && fwrite("\xf9\0\0\0", 4, 1, file) == 1 && fclose(file) == 0);
    OK(emonfeed_copy, &report, source, copy, 0);
    CHECK(emonfeed_report_bytes_repaired(report) == 4);
    CHECK(did(report, EMONFEED_OUTCOME_APPENDED, 0, 100));

    OK(emonfeed_copy, &report, longer, copy, 0);
    CHECK(did(report, EMONFEED_OUTCOME_APPENDED, 10, 110));
    OK(emonfeed_copy, &report, edited, copy, 0);
    CHECK(did(report, EMONFEED_OUTCOME_PATCHED, 1, 110));

    OK(emonfeed_copy, &report, other, copy, 0);
    CHECK(access(emonfeed_report_kept(report), F_OK) == 0);
    CHECK(did(report, EMONFEED_OUTCOME_NEW_GENERATION, 5, 5));

    /* The copy is a feed like any other. */
    emonfeed_feed *feed = NULL;
    emonfeed_meta meta;
    OK(emonfeed_feed_open, &feed, copy, 0);
    OK(emonfeed_feed_meta, &meta, feed);
    CHECK(meta.npoints == 5);
    emonfeed_feed_free(feed);

    const emonfeed_status argument = EMONFEED_STATUS_ARGUMENT;
    FAILS(argument, "source must not be NULL", emonfeed_copy, emonfeed_report, NULL, copy,
          0);
    FAILS(argument, "source is an empty string", emonfeed_copy, emonfeed_report, "", copy,
          0);
    FAILS(argument, "destination must not be NULL", emonfeed_copy, emonfeed_report, source,
          NULL, 0);
    FAILS(argument, "flags", emonfeed_copy, emonfeed_report, source, copy, 4);
    NEEDS_OUT(emonfeed_copy, source, copy, 0);
    FAILS(EMONFEED_STATUS_NOT_FOUND, "missing", emonfeed_copy, emonfeed_report,
          in("missing/feed_1.MYD"), copy, 0);
    FAILS(EMONFEED_STATUS_NOT_REGULAR, "link.MYD", emonfeed_copy, emonfeed_report, source,
          in("link.MYD"), 0);
    FAILS(EMONFEED_STATUS_DESTINATION, "feed_1.MYD", emonfeed_copy, emonfeed_report, source,
          source, 0);
}

/* A run over DIR/longer with these options, ready for its steps. */
static emonfeed_backup *begun(const char *to, const char *const *options) {
    emonfeed_backup *backup = NULL;
    char from[4096];
    snprintf(from, sizeof from, "%s", in("longer"));
    OK(emonfeed_backup_open, &backup, from, to, options);
    CHECK(backup != NULL);
    CHECK(emonfeed_backup_feeds(backup) == 1);
    CHECK(emonfeed_backup_report(backup) == NULL);
    return backup;
}

/* Runs of the backup over the one feed in DIR/longer. */
static void backups(void) {
    const char *const same[] = {"same-device", NULL};
    const char *const dry[] = {"dry-run", "same-device=1", NULL};
    char from[4096], to[4096];
    snprintf(from, sizeof from, "%s", in("longer"));
    snprintf(to, sizeof to, "%s", in("backup-XXXXXX"));
    CHECK(mkdtemp(to) != NULL);

    /* A dry run writes nothing. */
    bool more = false;
    emonfeed_backup *backup = begun(to, dry);
    OK(emonfeed_backup_step, &more, backup);
    CHECK(more);
    const emonfeed_report *report = emonfeed_backup_report(backup);
    CHECK(emonfeed_report_outcome(report) == EMONFEED_OUTCOME_CREATED);
    CHECK(emonfeed_report_dry_run(report));
    OK(emonfeed_backup_step, &more, backup);
    CHECK(!more);
    emonfeed_backup_free(backup);
    CHECK(rmdir(to) == 0);

    /* The destination is made. What is freed without being closed was never
     * copied, except for what was reported. */
    backup = begun(to, same);
    FAILS(EMONFEED_STATUS_LOCKED, to, emonfeed_backup_open, emonfeed_backup, from, to, same);
    emonfeed_backup_free(backup);

    emonfeed_summary summary;
    backup = begun(to, same);
    for (int twice = 0; twice < 2; twice++) {
        OK(emonfeed_backup_step, &more, backup);
        report = emonfeed_backup_report(backup);
        CHECK(more == (twice == 0));
        CHECK(more == (report != NULL));
        CHECK(strcmp(emonfeed_report_feed(report), more ? "1" : "") == 0);
        CHECK(strcmp(emonfeed_report_table(report), more ? "feed_1" : "") == 0);
        CHECK(strcmp(emonfeed_report_file(report), more ? "feed_1.MYD" : "") == 0);
        CHECK(emonfeed_report_rows_copied(report) == (more ? 110 : 0));
        CHECK(emonfeed_report_bytes_overwritten(report) == 0);
        CHECK(emonfeed_report_seconds(report) >= 0);
        CHECK(!emonfeed_report_adopted(report));
        CHECK(!emonfeed_report_dry_run(report));
        emonfeed_backup_stop(backup);
        CHECK(emonfeed_backup_report(backup) == report);
    }
    OK(emonfeed_backup_close, &summary, backup);
    CHECK(summary.feeds == 1 && summary.created == 1 && summary.rows_copied == 110);
    CHECK(summary.unchanged + summary.appended + summary.patched + summary.new_generation +
              summary.failed + summary.skipped + summary.source_gone + summary.deleted ==
          0);
    CHECK(summary.bytes_copied == 990 && summary.seconds > 0);
    CHECK(summary.stopped && !summary.complete);
    CHECK(strcmp(summary.not_deleted, "") == 0);

    /* All in the end: the destination is free, the copy known. Nobody has to
     * want the summary, or the error, or to take a step. */
    backup = begun(to, same);
    CHECK(emonfeed_backup_close(backup, NULL, NULL) == EMONFEED_STATUS_OK);
    backup = begun(to, same);
    OK(emonfeed_backup_step, &more, backup);
    CHECK(emonfeed_report_outcome(emonfeed_backup_report(backup)) ==
          EMONFEED_OUTCOME_UNCHANGED);

    /* A child has no part in the run of its parent. */
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        int before = failures;
        emonfeed_error *error = NULL;
        emonfeed_status status = emonfeed_backup_step(backup, &more, &error);
        CHECK(failed_with(status, error, EMONFEED_STATUS_ARGUMENT, "process"));
        emonfeed_backup_stop(backup);
        error = NULL;
        status = emonfeed_backup_close(backup, NULL, &error);
        CHECK(failed_with(status, error, EMONFEED_STATUS_ARGUMENT, "process"));
        /* What the run holds is left as it is. That is no leak, but valgrind
         * would call it one at an exit. */
        execl("/bin/sh", "sh", "-c", failures == before ? "exit 0" : "exit 1", (char *)NULL);
        _exit(2);
    }
    int left = -1;
    CHECK(child > 0 && waitpid(child, &left, 0) == child && left == 0);
    FAILS(EMONFEED_STATUS_LOCKED, to, emonfeed_backup_open, emonfeed_backup, from, to, same);
    OK(emonfeed_backup_step, &more, backup);
    CHECK(!more);
    OK(emonfeed_backup_close, &summary, backup);
    CHECK(summary.feeds == 1 && summary.unchanged == 1 && summary.complete);
    CHECK(!summary.stopped);

    memset(&summary, 0x5a, sizeof summary);
    OK(emonfeed_backup_close, &summary, NULL);
    CHECK(summary.feeds == 0 && summary.complete && summary.seconds == 0);

    const emonfeed_status argument = EMONFEED_STATUS_ARGUMENT;
    FAILS(argument, "source must not be NULL", emonfeed_backup_open, emonfeed_backup, NULL, to,
          NULL);
    FAILS(argument, "source is an empty string", emonfeed_backup_open, emonfeed_backup, "",
          to, NULL);
    FAILS(argument, "destination must not be NULL", emonfeed_backup_open, emonfeed_backup,
          from, NULL, NULL);
    NEEDS_OUT(emonfeed_backup_open, from, to, NULL);
    const struct {
        const char *option, *says;
    } cases[] = {{"", "\"\""},          {"dry_run", "dry_run"}, {"keep=-1", "keep"},
                 {"delete=yes", "delete"}, {"only=\xff", "UTF-8"}, {"recheck", "recheck"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const options[] = {"same-device", cases[i].option, NULL};
        FAILS(argument, cases[i].says, emonfeed_backup_open, emonfeed_backup, from, to,
              options);
    }
    FAILS(EMONFEED_STATUS_DESTINATION, "same-device", emonfeed_backup_open, emonfeed_backup,
          from, to, NULL);
    FAILS(EMONFEED_STATUS_NOT_FOUND, "missing", emonfeed_backup_open, emonfeed_backup,
          in("missing"), to, same);

    backup = begun(to, same);
    emonfeed_error *error = NULL;
    emonfeed_status status = emonfeed_backup_step(NULL, &more, &error);
    CHECK(failed_with(status, error, argument, "backup must not be NULL"));
    NEEDS_OUT(emonfeed_backup_step, backup);
    CHECK(emonfeed_backup_close(backup, NULL, NULL) == EMONFEED_STATUS_OK);
}

/* Paths are bytes, not text: this one is Latin-1. The message about another
 * shows what can be shown. */
static void odd_paths(void) {
    emonfeed_feed *feed = opened("caf\xe9/feed_1.MYD", 0);
    emonfeed_meta meta;
    OK(emonfeed_feed_meta, &meta, feed);
    CHECK(meta.npoints == 100);
    emonfeed_feed_free(feed);

    FAILS(EMONFEED_STATUS_NOT_FOUND, "th\xef\xbf\xbd.MYD", emonfeed_feed_open,
          emonfeed_feed, in("th\xe9.MYD"), 0);

    feed = opened("link.MYD", 0);
    emonfeed_feed_free(feed);
}

static int has_sigbus_handler(void) {
    struct sigaction action;
    CHECK(sigaction(SIGBUS, NULL, &action) == 0);
    return action.sa_handler != SIG_DFL;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIR\n", argv[0]);
        return 2;
    }
    folder = argv[1];
    signal(SIGBUS, SIG_DFL); /* sanitizers install one of their own */

    version();
    null_objects();

    const uint32_t access[] = {EMONFEED_OPEN_PREAD, 0};
    for (size_t i = 0; i < 2; i++) {
        emonfeed_feed *feed = opened("feed_1.MYD", access[i]);
        queries(feed);
        decimals(feed);
    csvs(feed);
        arguments(feed);
        CHECK(has_sigbus_handler() == (access[i] != EMONFEED_OPEN_PREAD));

        /* What a feed gave outlives it. */
        emonfeed_series *series = NULL;
        emonfeed_error *error = NULL;
        OK(emonfeed_feed_last, &series, feed);
        CHECK(emonfeed_feed_windows(feed, 0, 1, 0, EMONFEED_FIRST, 0, &series, &error) ==
              EMONFEED_STATUS_ARGUMENT);
        emonfeed_feed_free(feed);
        CHECK(is_json(series, "[[1990,9.9]]"));
        CHECK(emonfeed_error_status(error) == EMONFEED_STATUS_ARGUMENT);
        emonfeed_series_free(series);
        emonfeed_error_free(error);
    }

    histograms();
    refusals();
    odd_paths();
    copies();
    backups();

    if (failures == 0)
        puts("all promises kept");
    return failures != 0;
}
