/* The calls whose instructions tests/instructions.rs counts, one a run.
 *
 *     hot_paths PATH FEED START INTERVAL FOLDER
 *
 * Summaries are kept in FOLDER. PATH says what is done: see `paths` below. What
 * is to be counted happens in the function counted() and nowhere else; all
 * before it makes the process warm. Prints how many units that were: samples,
 * windows or rows.
 */
#include <emonfeed.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 1000, PIECE = 65536 };

static const char *path, *folder;
static int64_t start, interval;
static emonfeed_feed *feed;
static emonfeed_series *series;
static emonfeed_text *text;

static void must(emonfeed_status status, emonfeed_error *const *error) {
    if (status != EMONFEED_STATUS_OK) {
        fprintf(stderr, "%s\n", emonfeed_error_message(*error));
        exit(1);
    }
}

static void ask(int32_t aggregate) {
    emonfeed_error *error = NULL;
    emonfeed_series_free(series);
    series = NULL;
    must(emonfeed_feed_windows(feed, start, start + (SAMPLES - 1) * interval, interval,
                               aggregate, 0, &series, &error),
         &error);
}

static void open_feed(void) {
    emonfeed_error *error = NULL;
    must(emonfeed_feed_open(path, 0, &feed, &error), &error);
}

static void samples(void) { ask(EMONFEED_FIRST); }
static void average(void) { ask(EMONFEED_AVERAGE); }
static void nothing(void) {}

static void open_and_sample(void) {
    open_feed();
    samples();
}

static void open_kept_and_sample(void) {
    emonfeed_error *error = NULL;
    must(emonfeed_feed_open_cached(path, 0, folder, &feed, &error), &error);
    samples();
}

static void json(void) {
    emonfeed_error *error = NULL;
    must(emonfeed_series_json(series, &text, &error), &error);
}

static void rows(void) {
    emonfeed_error *error = NULL;
    emonfeed_position position = {.time = start, .given = 0};
    must(emonfeed_feed_rows_from(feed, &position, UINT32_MAX, PIECE, &series, &error), &error);
}

static void csv(void) {
    emonfeed_error *error = NULL;
    must(emonfeed_series_csv(series, NULL, &text, &error), &error);
}

/* What is done before, what is counted, and how many units that is; 0 stands
 * for all rows of the feed. */
static const struct {
    const char *name;
    void (*before[3])(void);
    void (*counted)(void);
    uint64_t units;
} paths[] = {
    {"first-view", {nothing, nothing, nothing}, open_and_sample, 0},
    {"kept-view", {nothing, nothing, nothing}, open_kept_and_sample, SAMPLES},
    {"samples", {open_feed, samples, nothing}, samples, SAMPLES},
    {"first-average", {open_feed, samples, nothing}, average, 0},
    {"average-again", {open_feed, average, nothing}, average, SAMPLES},
    {"json", {open_feed, samples, nothing}, json, SAMPLES},
    {"rows", {open_feed, samples, nothing}, rows, PIECE},
    {"csv", {open_feed, rows, nothing}, csv, PIECE},
};

/* Valgrind counts in here. */
__attribute__((noinline)) static void counted(void (*work)(void)) {
    work();
    /* Not a jump that would leave this function before the work is done. */
    __asm__ volatile("" ::: "memory");
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fputs("usage: hot_paths PATH FEED START INTERVAL FOLDER\n", stderr);
        return 2;
    }
    path = argv[2];
    start = strtoll(argv[3], NULL, 10);
    interval = strtoll(argv[4], NULL, 10);
    folder = argv[5];
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (strcmp(paths[i].name, argv[1]) != 0)
            continue;
        for (int before = 0; before < 3; before++)
            paths[i].before[before]();
        counted(paths[i].counted);

        emonfeed_error *error = NULL;
        emonfeed_meta meta;
        must(emonfeed_feed_meta(feed, &meta, &error), &error);
        printf("%llu\n", (unsigned long long)(paths[i].units ? paths[i].units : meta.npoints));
        emonfeed_text_free(text);
        emonfeed_series_free(series);
        emonfeed_feed_free(feed);
        return 0;
    }
    fprintf(stderr, "hot_paths: there is no path %s\n", argv[1]);
    return 2;
}
