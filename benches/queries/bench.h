/* What the programs of benches/queries share. */
#ifndef BENCH_H
#define BENCH_H

#include <emonfeed.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

__attribute__((noreturn)) static inline void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* Ends the program unless the call went well. By address, because the call that
 * sets the error is the argument beside it. */
static inline void must(emonfeed_status status, emonfeed_error *const *error)
{
    if (status != EMONFEED_STATUS_OK) {
        fprintf(stderr, "%s\n", emonfeed_error_message(*error));
        exit(1);
    }
}

/*
 * How feeds are opened here: "-", plainly; "trust", with counters trusted; a
 * folder that keeps summaries; or both as "trust:FOLDER". A library that does
 * not have what is asked for gives NULL.
 */
static inline emonfeed_feed *open_feed(const char *path, const char *how)
{
    emonfeed_feed *feed = NULL;
    emonfeed_error *error = NULL;
    const char *folder = strcmp(how, "-") == 0 ? NULL : how;
    uint32_t flags = 0;

    if (strncmp(how, "trust", 5) == 0) {
        folder = how[5] == ':' ? how + 6 : NULL;
#ifdef EMONFEED_OPEN_TRUST_COUNTERS
        flags = EMONFEED_OPEN_TRUST_COUNTERS;
#else
        return NULL;
#endif
    }
    if (folder == NULL) {
        must(emonfeed_feed_open(path, flags, &feed, &error), &error);
        return feed;
    }
#ifdef HAVE_OPEN_CACHED
    must(emonfeed_feed_open_cached(path, flags, folder, &feed, &error), &error);
#endif
    return feed;
}

/* One query of windows, its answer counted and freed. */
static inline size_t windows(const emonfeed_feed *feed, int64_t start, int64_t end,
                             int64_t interval, int32_t aggregate, uint32_t flags)
{
    emonfeed_series *series = NULL;
    emonfeed_error *error = NULL;

    must(emonfeed_feed_windows(feed, start, end, interval, aggregate, flags, &series, &error),
         &error);
    size_t points = emonfeed_series_len(series);
    emonfeed_series_free(series);
    return points;
}

#endif
