/* Many threads ask one feed at the same time, and all get the same answers.
 *
 *     cc threads.c $(pkg-config --cflags --libs emonfeed) -pthread -o threads
 *     ./threads feed_1.MYD
 */
#include <emonfeed.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define THREADS 16
#define ROUNDS 10

typedef struct {
    const char *path;
    const emonfeed_feed *feed;       /* shared by all threads */
    const emonfeed_series *expected; /* shared by all threads */
    emonfeed_meta meta;
    int wrong;
} job;

static int same(const emonfeed_series *a, const emonfeed_series *b) {
    size_t n = emonfeed_series_len(a);
    return n == emonfeed_series_len(b) &&
           memcmp(emonfeed_series_points(a), emonfeed_series_points(b),
                  n * sizeof(emonfeed_point)) == 0;
}

/* One query of `feed`, compared with the answer the main thread got. */
static int ask(const job *todo, const emonfeed_feed *feed) {
    emonfeed_series *series = NULL;
    if (emonfeed_feed_windows(feed, todo->meta.start_time, todo->meta.end_time, 30,
                              EMONFEED_AVERAGE, 0, &series, NULL) != EMONFEED_STATUS_OK)
        return 0;
    int right = same(series, todo->expected);
    emonfeed_series_free(series);
    return right;
}

/* Errors belong to the call that failed, whatever other threads do. */
static int fail(const job *todo, int64_t interval) {
    emonfeed_series *series = NULL;
    emonfeed_error *error = NULL;
    emonfeed_status status = emonfeed_feed_windows(todo->feed, 0, 1, interval,
                                                   EMONFEED_AVERAGE, 0, &series, &error);
    char number[32];
    snprintf(number, sizeof number, "%lld", (long long)interval);
    int right = status == EMONFEED_STATUS_ARGUMENT && series == NULL &&
                emonfeed_error_status(error) == EMONFEED_STATUS_ARGUMENT &&
                strstr(emonfeed_error_message(error), number) != NULL;
    emonfeed_error_free(error);
    return right;
}

static void *work(void *argument) {
    job *todo = (job *)argument;
    for (int round = 0; round < ROUNDS; round++) {
        emonfeed_feed *own = NULL;
        if (emonfeed_feed_open(todo->path, 0, &own, NULL) != EMONFEED_STATUS_OK) {
            todo->wrong++;
            continue;
        }
        todo->wrong += !ask(todo, todo->feed);
        todo->wrong += !ask(todo, own);
        todo->wrong += !fail(todo, -1000 - round);
        emonfeed_feed_free(own);
    }
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s FEED.MYD\n", argv[0]);
        return 2;
    }

    emonfeed_feed *feed = NULL;
    emonfeed_series *expected = NULL;
    emonfeed_error *error = NULL;
    emonfeed_meta meta;
    if (emonfeed_feed_open(argv[1], 0, &feed, &error) != EMONFEED_STATUS_OK ||
        emonfeed_feed_meta(feed, &meta, &error) != EMONFEED_STATUS_OK ||
        emonfeed_feed_windows(feed, meta.start_time, meta.end_time, 30, EMONFEED_AVERAGE,
                              0, &expected, &error) != EMONFEED_STATUS_OK) {
        fprintf(stderr, "%s\n", emonfeed_error_message(error));
        emonfeed_error_free(error);
        emonfeed_feed_free(feed);
        return 1;
    }

    pthread_t threads[THREADS];
    job jobs[THREADS];
    int started = 0, wrong = 0;
    for (; started < THREADS; started++) {
        jobs[started].path = argv[1];
        jobs[started].feed = feed;
        jobs[started].expected = expected;
        jobs[started].meta = meta;
        jobs[started].wrong = 0;
        if (pthread_create(&threads[started], NULL, work, &jobs[started]) != 0)
            break;
    }
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
        wrong += jobs[i].wrong;
    }
    printf("%d threads, %d rounds, %zu points, %d wrong\n", started, ROUNDS,
           emonfeed_series_len(expected), wrong);

    emonfeed_series_free(expected);
    emonfeed_feed_free(feed);
    return started != THREADS || wrong != 0;
}
